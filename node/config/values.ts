import { z } from 'zod';

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const unitBytes = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 } as const;

/** A span such as `500ms`, `30s`, `5m`, `1h`, `7d`; the value is milliseconds. */
export const duration = z
  .string()
  .regex(/^\d+(ms|s|m|h|d)$/, 'a duration like 500ms, 30s, 5m, 1h or 7d')
  .transform((text) => {
    const [, amount = '', unit = 'ms'] = /^(\d+)(\D+)$/.exec(text) ?? [];
    return Number(amount) * unitMs[unit as keyof typeof unitMs];
  });

/** A size such as `512MB`; the value is bytes. */
export const size = z
  .string()
  .regex(/^\d+(B|KB|MB|GB)$/, 'a size like 64MB or 2GB')
  .transform((text) => {
    const [, amount = '', unit = 'B'] = /^(\d+)(\D+)$/.exec(text) ?? [];
    return Number(amount) * unitBytes[unit as keyof typeof unitBytes];
  });

/** A TCP port; 0 lets the system choose. */
export const port = z.coerce
  .number({ error: 'a port between 0 and 65535' })
  .int('a port between 0 and 65535')
  .min(0, 'a port between 0 and 65535')
  .max(65_535, 'a port between 0 and 65535');

/** A whole number with bounds; the message states them. */
export const whole = (least: number, most: number) => {
  const message = `a whole number between ${least} and ${most}`;
  return z.coerce.number({ error: message }).int(message).min(least, message).max(most, message);
};

/** `true` or `false`, as YAML or as text of an environment variable. */
export const flag = z.union(
  [
    z.boolean(),
    z.enum(['true', 'false', '1', '0', 'yes', 'no']).transform((t) => /^[t1y]/.test(t)),
  ],
  { error: 'true or false' },
);

/** One of a few words. */
export const oneOf = <const Words extends readonly [string, ...string[]]>(words: Words) =>
  z.enum(words, { error: `one of ${words.join(', ')}` });

/** A list: a YAML sequence, or text with commas between. */
export const list = z.union(
  [
    z.array(z.string()),
    z.string().transform((text) =>
      text
        .split(',')
        .map((part) => part.trim())
        .filter(Boolean),
    ),
  ],
  { error: 'a list (in an environment variable: with commas between)' },
);

/** Free text that is not empty. */
export const text = z.string({ error: 'text' }).min(1, 'text that is not empty');

/** A secret of at least 32 characters. */
export const secret = z.string({ error: 'text' }).min(32, 'a secret of at least 32 characters');

/** An address with one of the schemes given. */
export const url = (...schemes: string[]) => {
  const message = `an address beginning with ${schemes.map((s) => `${s}://`).join(' or ')}`;
  return z
    .string({ error: message })
    .refine((value) => schemes.some((s) => value.startsWith(`${s}://`)), message);
};

/** `host:port`. */
export const hostPort = z.string({ error: 'host:port' }).regex(/^\S+:\d{1,5}$/, 'host:port');
