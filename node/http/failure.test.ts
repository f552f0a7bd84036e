import { expect } from 'chai';
import { createLogger, transports } from 'winston';
import { PassThrough } from 'node:stream';
import type { Exchange } from './exchange.ts';
import { createFail, toProblem } from './failure.ts';

/** Fails an answer that has begun, and tells what was logged of it. */
function failWith(error: unknown): { logged: string[]; isDestroyed: boolean } {
  const logged: string[] = [];
  const stream = new PassThrough();
  stream.on('data', (line: Buffer) => logged.push(line.toString()));
  const log = createLogger({ transports: [new transports.Stream({ stream })] });
  let isDestroyed = false;
  const res = { headersSent: true, destroyed: false, destroy: () => (isDestroyed = true) };
  createFail(log)({ id: 'request-1', res } as unknown as Exchange, error);
  return { logged, isDestroyed };
}

describe('an answer that breaks off', () => {
  for (const code of ['ERR_STREAM_PREMATURE_CLOSE', 'EPIPE', 'ECONNRESET', 'ECANCELED']) {
    it(`is no failure of ours when the client has left: ${code}`, () => {
      const { logged, isDestroyed } = failWith(Object.assign(new Error(code), { code }));
      expect(logged).to.deep.equal([]);
      expect(isDestroyed).to.equal(true);
    });
  }

  it('is logged when the source has failed', () => {
    const { logged } = failWith(Object.assign(new Error('the disk is gone'), { code: 'EIO' }));
    expect(logged.join('')).to.contain('answer broke off').and.contain('EIO');
  });
});

describe('what a client is told of an error', () => {
  for (const [code, told, expected] of [
    ['23503', 'conflict', true],
    ['ECONNREFUSED', 'database-unavailable', true],
    ['23505', 'internal', false],
    ['ENOSPC', 'unavailable', false],
    ['EDQUOT', 'unavailable', false],
  ] as const) {
    it(`${code}: ${told}`, () => {
      const { problem, ...rest } = toProblem(Object.assign(new Error(code), { code }));
      expect({ code: problem.code, ...rest }).to.deep.equal({ code: told, expected });
    });
  }
});
