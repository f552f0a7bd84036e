import type { FileHandle } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ProblemError, problem } from '#services/errors.ts';
import { begin, tooLarge } from './body.ts';
import { letTakeTime } from './arriving.ts';
import type { Timers } from './timers.ts';

/** As slowly as a body may come: so many bytes at least, in each such time. */
export interface Pace {
  readonly bytes: number;
  readonly everyMs: number;
}

/** Where a body goes. */
export interface Spool {
  readonly file: FileHandle;
  readonly limitBytes: number;
  /** Waits until there is room for so much more of it. */
  readonly grow: (bytes: number) => Promise<void>;
  readonly pace: Pace;
  readonly timers: Timers;
  readonly now: () => number;
}

/**
 * Takes a body into a file, which resolves to how long it is, in bytes: with no more of it in
 * memory than a piece, and as long as it takes while enough of it comes. Throws `too-large` and
 * `too-slow`.
 */
export async function spool(
  { req, res }: { req: IncomingMessage; res: ServerResponse },
  { file, limitBytes, grow, ...watching }: Spool,
): Promise<number> {
  begin(req, res, limitBytes);
  using stack = new DisposableStack();
  const watch = stack.use(watchPace(watching));
  stack.use(letTakeTime(req));
  // Who is refused is to hear it, on a connection that is still there.
  const pieces: AsyncIterator<unknown, undefined> = req.iterator({ destroyOnReturn: false });
  let size = 0;
  try {
    for (;;) {
      const { value, done } = await watch.orTooSlow(pieces.next());
      if (done === true) return size;
      const piece = value as Buffer;
      size += piece.length;
      if (size > limitBytes) throw tooLarge(limitBytes);
      await watch.came(piece.length, async () => {
        await grow(piece.length);
        await file.writeFile(piece);
      });
    }
  } catch (error) {
    // The rest would keep the connection for as long again.
    if (isTooSlow(error)) res.shouldKeepAlive = false;
    // Who sends all before it listens hears the answer only when the rest is taken in, too.
    else void pieces.return?.().then(() => req.resume());
    throw error;
  }
}

const isTooSlow = (error: unknown): boolean =>
  error instanceof ProblemError && error.code === 'too-slow';

/** Looks at the end of each time whether enough came in it; what takes us time is no slow line. */
function watchPace({ pace, timers, now }: Pick<Spool, 'pace' | 'timers' | 'now'>) {
  const { bytes, everyMs } = pace;
  let [received, oursMs, isSlow] = [0, 0, false];
  let since: number | undefined;
  let giveUp: (error: unknown) => void = () => undefined;
  const count = () => {
    if (since === undefined) return;
    oursMs += now() - since;
    since = now();
  };
  const stop = timers.every(everyMs, () => {
    count();
    isSlow ||= received < (bytes * (everyMs - oursMs)) / everyMs;
    [received, oursMs] = [0, 0];
    if (isSlow) giveUp(slow(pace));
  });
  return {
    // Not by Promise.race, which would remember each piece until the end of the body.
    orTooSlow: <T>(piece: Promise<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        giveUp = reject;
        if (isSlow) reject(slow(pace));
        piece.then(resolve, reject);
      }),
    /** So much is here; `work` is what we do with it. */
    async came(size: number, work: () => Promise<void>) {
      received += size;
      since = now();
      await work();
      count();
      since = undefined;
    },
    [Symbol.dispose]: stop,
  };
}

const slow = ({ bytes, everyMs }: Pace) =>
  problem('too-slow', `Less than ${bytes} bytes came in ${everyMs / 1_000} s`);
