import { Writable } from 'node:stream';
import { expect } from 'chai';
import winston from 'winston';
import { createLog, redact } from './log.ts';

describe('log', () => {
  const rows = [
    ['GET /x?token=abc.def&y=1', 'GET /x?token=…&y=1'],
    ['postgres://user:pass@host/db', 'postgres://…@host/db'],
    ['rediss://:secret@host:6379', 'rediss://…@host:6379'],
    ['http://host/path', 'http://host/path'],
  ] as const;
  for (const [given, wanted] of rows) {
    it(`redacts ${given}`, () => expect(redact(given)).to.equal(wanted));
  }

  it('lets no secret through, whatever carries it', () => {
    const lines: string[] = [];
    const log = createLog({ level: 'info', format: 'json' });
    log.clear().add(
      new winston.transports.Stream({
        stream: new Writable({
          write(chunk: Buffer, _encoding, done) {
            lines.push(chunk.toString());
            done();
          },
        }),
      }),
    );
    const error = new Error('failed for postgres://u:hunter2@db/x', {
      cause: new Error('?token=hunter2'),
    });
    log.info('event', {
      password: 'hunter2',
      nested: { apiKey: 'hunter2', url: 'redis://a:hunter2@b' },
      list: ['?token=hunter2'],
      error,
    });
    expect(lines).to.have.length(1);
    expect(lines[0]).to.include('event').and.not.include('hunter2');
  });
});
