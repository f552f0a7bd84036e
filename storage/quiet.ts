import { createSeldom } from './seldom.ts';

type Facts = Record<string, unknown>;

export interface QuietLog {
  info(message: string, facts?: Facts): void;
  warn(message: string, facts?: Facts): void;
}

const kindsMax = 64;
const tenSecondsMs = 10_000;

/**
 * A log for what others can cause as often as they like: of each kind one line in `everyMs`, which
 * says how many were left out since. Of one kind is what has the same message and, numbers aside,
 * the same `kind` or `reason`; of kinds without end only the message counts.
 */
export function quieten(
  log: QuietLog,
  everyMs: number = tenSecondsMs,
  now?: () => number,
): QuietLog {
  const kinds = new Map<string, ReturnType<typeof createSeldom>>();
  const seldomFor = (message: string, what: unknown) => {
    const full = `${message}: ${String(what).replace(/\d+/g, '#')}`;
    const name = kinds.has(full) || kinds.size < kindsMax ? full : message;
    const known = kinds.get(name) ?? createSeldom(everyMs, now);
    kinds.set(name, known);
    return known;
  };
  const say =
    (level: 'info' | 'warn') =>
    (message: string, { kind, ...facts }: Facts = {}) =>
      seldomFor(
        message,
        kind ?? facts['reason'],
      )((omitted) => log[level](message, omitted > 0 ? { ...facts, omitted } : facts));
  return { info: say('info'), warn: say('warn') };
}
