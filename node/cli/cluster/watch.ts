import { setTimeout as pause } from 'node:timers/promises';
import { CommandError, exitCode } from '../exit.ts';
import type { Output } from '../output.ts';

export const everyMs = 1_000;

/** Where readings are drawn, and when the next one is due. */
export interface Screen {
  readonly isTerminal: boolean;
  readonly rows: number;
  readonly write: (text: string) => void;
  /** Resolves when the next reading is due, or `signal` is aborted. */
  readonly rest: (signal: AbortSignal) => Promise<void>;
}

/** The process's own standard output, a reading a second. */
export const ownScreen: Screen = {
  get isTerminal() {
    return process.stdout.isTTY;
  },
  get rows() {
    // Some terminals do not know their size and say 0.
    return process.stdout.rows || 24;
  },
  write: (text) => void process.stdout.write(text),
  async rest(signal) {
    await pause(everyMs, undefined, { signal }).catch((error: Error) => {
      if (error.name !== 'AbortError') throw error;
    });
  },
};

interface Reading<T> {
  readonly read: () => Promise<T>;
  readonly show: (data: T) => string;
}

/**
 * Reads once and writes the result; with `isWatched` again and again until SIGINT or SIGTERM.
 * Resolves to the last reading.
 */
export async function present<T>(
  { read, show }: Reading<T>,
  { output, isWatched }: { readonly output: Output; readonly isWatched: boolean },
): Promise<T> {
  const first = await read();
  if (!isWatched) {
    output.result(first, () => show(first));
    return first;
  }
  const ended = new AbortController();
  const end = () => ended.abort();
  process.once('SIGINT', end).once('SIGTERM', end);
  try {
    const draw = output.isJson ? jsonLines : ownDrawing(ownScreen);
    const where = { draw, screen: ownScreen, signal: ended.signal };
    return await watch(first, { read, show }, where);
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end);
  }
}

/** How one reading, or the failure to take one, becomes text. */
export interface Drawing {
  readonly begin: string;
  readonly reading: (data: unknown, show: () => string) => string;
  readonly failure: (message: string) => string;
  readonly end: string;
}

/** One line per reading. */
export const jsonLines: Drawing = {
  begin: '',
  reading: (data) => `${JSON.stringify(data)}\n`,
  failure: (message) => `${JSON.stringify({ error: message })}\n`,
  end: '',
};

const escape = '\u001b[';
const toEndOfLine = `${escape}K`;

/** Over and over in one place of a terminal; elsewhere one below the other. */
export function ownDrawing(screen: Pick<Screen, 'isTerminal' | 'rows'>): Drawing {
  if (!screen.isTerminal) {
    const block = (text: string) => `${text}\n\n`;
    return { begin: '', reading: (_data, show) => block(show()), failure: block, end: '' };
  }
  const draw = (text: string) => {
    const lines = text.split('\n').slice(0, Math.max(1, screen.rows - 2));
    const drawn = ['every second, Ctrl-C ends', ...lines].join(`${toEndOfLine}\n`);
    return `${escape}H${drawn}${toEndOfLine}${escape}J`;
  };
  return {
    // Long lines are cut rather than broken, or the next drawing would not lie on this one.
    begin: `${escape}?7l${escape}2J`,
    reading: (_data, show) => draw(show()),
    failure: draw,
    end: `${escape}?7h\n`,
  };
}

/**
 * Draws the first reading, and one more per beat of the screen until the signal; resolves to the
 * last. A node that goes away is waited for, as that is what is being watched.
 */
export async function watch<T>(
  first: T,
  { read, show }: Reading<T>,
  where: { readonly draw: Drawing; readonly screen: Screen; readonly signal: AbortSignal },
): Promise<T> {
  const { draw, screen, signal } = where;
  const interrupted = new Promise<undefined>((resolve) =>
    signal.addEventListener('abort', () => resolve(undefined), { once: true }),
  );
  let last = first;
  screen.write(draw.begin + draw.reading(last, () => show(last)));
  try {
    for (;;) {
      await screen.rest(signal);
      if (signal.aborted) return last;
      const next = await Promise.race([attempt(read), interrupted]);
      if (next === undefined) return last;
      if ('failure' in next) {
        screen.write(draw.failure(next.failure));
        continue;
      }
      last = next.data;
      screen.write(draw.reading(last, () => show(last)));
    }
  } finally {
    screen.write(draw.end);
  }
}

async function attempt<T>(read: () => Promise<T>): Promise<{ data: T } | { failure: string }> {
  try {
    return { data: await read() };
  } catch (error) {
    if (!(error instanceof CommandError) || error.exit !== exitCode.unavailable) throw error;
    return { failure: error.message };
  }
}
