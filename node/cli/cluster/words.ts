import { CommandError, exitCode } from '../exit.ts';

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const;

/**
 * Milliseconds of a duration as it is typed: `90s`, `1h30m`, `200ms`.
 * @throws CommandError for what is none; `option` is named in it
 */
export function parseDuration(text: string, option: string): number {
  const wrong = () =>
    new CommandError(`${option} ${text}: give a duration as in 30s, 10m, 1h or 7d`, exitCode.usage);
  if (!/^(\d{1,9}(ms|s|m|h|d))+$/.test(text)) throw wrong();
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+)(ms|[smhd])/g)) {
    const size = units.find(([name]) => name === unit)?.[1] ?? 0;
    total += Number(amount) * size;
  }
  if (!Number.isSafeInteger(total)) throw wrong();
  return total;
}

/** The two largest units, rounded down: `3d 4h`, `1h`, `2.5s`, `40ms`. */
export function showDuration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.floor(ms))}ms`;
  if (ms < 10_000) return `${Math.floor(ms / 100) / 10}s`;
  const [first, size] = units.find(([, unit]) => ms >= unit) ?? ['s', 1_000];
  const amount = `${Math.floor(ms / size)}${first}`;
  const [second, smaller] = units[units.findIndex(([name]) => name === first) + 1] ?? ['ms', 1];
  const rest = Math.floor((ms % size) / smaller);
  return rest === 0 || second === 'ms' ? amount : `${amount} ${rest}${second}`;
}

/**
 * A whole number between bounds, as it is typed.
 * @throws CommandError for what is none; `option` is named in it
 */
export function parseCount(text: string, option: string, most: number): number {
  const count = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
  if (count <= most) return count;
  throw new CommandError(`${option} ${text}: give a whole number up to ${most}`, exitCode.usage);
}

/** @throws CommandError for anything but yes and no */
export function parseYesNo(text: string, option: string): boolean {
  if (text === 'yes' || text === 'no') return text === 'yes';
  throw new CommandError(`${option} ${text}: say yes or no`, exitCode.usage);
}

export const yesNo = (is: boolean): string => (is ? 'yes' : 'no');

/** Text of other nodes, for a terminal: nothing in it may move the cursor. */
export const plain = (text: string): string => text.replaceAll(/\p{Cc}/gu, '?');
