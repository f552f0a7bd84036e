import winston from 'winston';
import type { Log } from '#services/log.ts';

export interface LogOptions {
  readonly level: 'error' | 'warn' | 'info' | 'debug';
  /** `auto`: text on a terminal, JSON elsewhere. */
  readonly format: 'auto' | 'json' | 'text';
  readonly nodeId?: string;
}

const secretName = /(password|secret|token|authorization|api[-_]?key|cookie)$/i;
const tokenInUrl = /([?&](?:token|api_key|apikey|key)=)[^&\s"']+/gi;
const userInfo = /([a-z][a-z0-9+.-]*:\/\/)[^/@\s:]*:[^/@\s]*@/gi;

/** Text with whatever could be a secret in an address taken out. */
export const redact = (text: string): string =>
  text.replace(tokenInUrl, '$1…').replace(userInfo, '$1…@');

function clean(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return redact(value);
  if (value instanceof Error) return clean(describeError(value), depth);
  if (Array.isArray(value)) {
    return depth > 3 ? '[…]' : value.slice(0, 50).map((entry) => clean(entry, depth + 1));
  }
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (depth > 3) return '{…}';
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      secretName.test(name) && inner !== undefined ? '…' : clean(inner, depth + 1),
    ]),
  );
}

function describeError(error: Error): Record<string, unknown> {
  const { code } = error as { code?: unknown };
  return {
    name: error.name,
    message: error.message,
    ...(code === undefined ? {} : { code }),
    ...(error.cause === undefined ? {} : { cause: error.cause }),
    stack: error.stack,
  };
}

const cleaned = winston.format((info) => {
  for (const name of Object.keys(info)) {
    info[name] = secretName.test(name) ? '…' : clean(info[name], 0);
  }
  return info;
});

const asText = winston.format.printf((info) => {
  const { timestamp, level, message, module, ...facts } = info;
  // On a terminal there is one node; its id is in every JSON line instead.
  delete facts['nodeId'];
  const rest = Object.entries(facts).flatMap(([name, value]) => factTexts(name, value));
  const place = typeof module === 'string' ? ` ${module}:` : '';
  return [`${String(timestamp)} ${level}${place} ${String(message)}`, ...rest].join(' ');
});

/** Counters and the like stand side by side; nothing is said of what has no value. */
function factTexts(name: string, value: unknown): string[] {
  if (value === undefined) return [];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [`${name}=${factText(value)}`];
  }
  return Object.entries(value)
    .filter(([, inner]) => inner !== undefined && inner !== 0)
    .map(([inner, text]) => `${name}.${inner}=${factText(text)}`);
}

function factText(value: unknown): string {
  const isPlain = typeof value === 'string' && !/[\s"=\p{C}]/u.test(value);
  return isPlain ? value : escapeHidden(JSON.stringify(value));
}

/** Names come from strangers: what would steer a terminal, or turn text around, is spelt out. */
const escapeHidden = (text: string | undefined): string =>
  String(text).replace(
    /[\p{Cc}\p{Cf}\p{Co}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );

/** The node's log: one structured line per event on standard error, secrets taken out. */
export function createLog({ level, format, nodeId }: LogOptions): Log {
  const isText = format === 'text' || (format === 'auto' && process.stderr.isTTY);
  return winston.createLogger({
    level,
    defaultMeta: nodeId === undefined ? {} : { nodeId },
    format: winston.format.combine(
      cleaned(),
      winston.format.timestamp(),
      isText ? asText : winston.format.json(),
    ),
    transports: [
      new winston.transports.Console({ stderrLevels: ['error', 'warn', 'info', 'debug'] }),
    ],
  });
}
