import { styleText } from 'node:util';
import Table from 'cli-table3';

/** Where a command writes: a table and sentences for people, or one JSON document for programs. */
export interface Output {
  readonly isJson: boolean;
  /** The command's result, shown as JSON or by `show`. */
  result(data: unknown, show: () => string): void;
  /** A sentence for people; nothing with --json. */
  say(line: string): void;
  /** Redraws one status line on a terminal; nothing with --json or without a terminal. */
  status(line: string): void;
}

/** Writes to the process's own streams: results to standard output, status to standard error. */
export function createOutput(isJson: boolean): Output {
  const isLive = process.stderr.isTTY && !isJson;
  return {
    isJson,
    result(data, show) {
      const text = isJson ? JSON.stringify(data, null, 2) : show();
      if (text !== '') process.stdout.write(`${text}\n`);
    },
    say(line) {
      if (!isJson) process.stdout.write(`${line}\n`);
    },
    status(line) {
      if (isLive) process.stderr.write(`\r\u001b[K${line}`);
    },
  };
}

/** A plain table with a head, columns as wide as they need. */
export function table(head: string[], rows: readonly (string | number | null)[][]): string {
  if (rows.length === 0) return 'none';
  const drawn = new Table({
    head: head.map((title) => styleText('bold', title, { stream: process.stdout })),
    chars: bare,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
  });
  for (const row of rows) drawn.push(row.map((cell) => (cell === null ? '–' : String(cell))));
  return drawn
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

const sides = ['top', 'bottom', 'mid', 'left', 'right'] as const;
const bare = {
  ...Object.fromEntries(
    sides.flatMap((side) =>
      [side, `${side}-mid`, `${side}-left`, `${side}-right`].map((s) => [s, '']),
    ),
  ),
  middle: '',
};

/** Bytes for people: `1.4 GB`. */
export function bytes(amount: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  const step = Math.min(Math.floor(Math.log2(Math.max(amount, 1)) / 10), units.length - 1);
  return `${(amount / 1024 ** step).toFixed(step === 0 ? 0 : 1)} ${units[step]}`;
}
