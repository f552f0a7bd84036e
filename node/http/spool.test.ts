import type { FileHandle } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { expect } from 'chai';
import { spool } from './spool.ts';

const pace = { bytes: 100, everyMs: 1_000 };

describe('a body that comes into a file', () => {
  let at = 0;
  let endOfTime: () => void = () => undefined;
  const res = { shouldKeepAlive: true } as ServerResponse;
  const timers = {
    every: (_: number, run: () => void) => {
      endOfTime = run;
      return () => undefined;
    },
    after: () => () => undefined,
  };
  /** As it comes from the client. */
  const take = (body: () => AsyncGenerator<Buffer>, grow: () => Promise<void>) => {
    const req = { headers: {}, iterator: body } as unknown as IncomingMessage;
    const file = { writeFile: async () => undefined } as unknown as FileHandle;
    const rest = { pace, timers, now: () => at };
    return spool({ req, res }, { file, limitBytes: 1_000, grow, ...rest });
  };
  const comes = (bytes: number) => Buffer.alloc(bytes);
  const gladly = async () => undefined;

  it('may take as long as it does while enough of it comes each time', async () => {
    const size = await take(async function* () {
      for (let nth = 0; nth < 5; nth += 1) {
        yield comes(60);
        yield comes(40);
        endOfTime();
      }
    }, gladly);
    expect(size).to.equal(500);
  });

  it('is refused when too little of it comes, at the end of the time', async () => {
    const taken = take(async function* () {
      yield comes(100);
      endOfTime();
      yield comes(99);
      endOfTime();
      await new Promise(() => undefined);
    }, gladly);
    const error = await taken.catch((reason: unknown) => reason);
    expect(error).to.include({ code: 'too-slow', status: 408 });
    expect(res.shouldKeepAlive).to.equal(false);
  });

  it('is refused also while nothing comes at all', async () => {
    const taken = take(async function* () {
      yield comes(1);
      setImmediate(() => endOfTime());
      await new Promise(() => undefined);
    }, gladly);
    expect(await taken.catch((reason: unknown) => reason)).to.include({ code: 'too-slow' });
  });

  it('is not blamed for the time that it waits for room', async () => {
    let waits = 0;
    const size = await take(
      async function* () {
        yield comes(1);
        yield comes(1);
        yield comes(60);
        endOfTime();
      },
      async () => {
        waits += 1;
        if (waits === 1) {
          // Until the end of this time, and half of the next.
          at += 1_000;
          endOfTime();
          at += 500;
        }
      },
    );
    expect(size).to.equal(62);
  });
});
