import { Writable } from 'node:stream';
import { expect } from 'chai';
import winston from 'winston';
import { createLog, redact } from './log.ts';

/** A log of that format, and the lines it has written. */
function logInto(format: 'json' | 'text') {
  const lines: string[] = [];
  const log = createLog({ level: 'info', format });
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
  return { log, lines };
}

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

  it('spells out what would steer a terminal or begin another line', () => {
    const { log, lines } = logInto('text');
    log.info('event', {
      path: 'a\u001b[2Jb',
      name: 'x\nERROR y',
      shown: 'gpj\u202ecod',
      plain: 'ü',
    });
    expect(lines).to.have.length(1);
    const [line = ''] = lines;
    expect(line.trimEnd()).to.not.match(/[\p{Cc}\p{Cf}]/u);
    expect(line).to.include('[2Jb').and.include('x\\nERROR y').and.include('cod');
    expect(line).to.include('plain=ü');
  });

  it('lets no secret through, whatever carries it', () => {
    const { log, lines } = logInto('json');
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
