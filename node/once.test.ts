import { expect } from 'chai';
import type { JsonAnswer } from '#api/handler.ts';
import type { Write } from '#services/changes.ts';
import { ProblemError } from '#services/errors.ts';
import { createIdempotencyKeys, KeyTakenError } from '#storage/cluster/idempotency.ts';
import { createOutbox } from '#storage/cluster/outbox.ts';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import { plainWrite } from '#test/write.ts';
import { termsOfWork } from './fence.ts';
import { createOnce } from './once.ts';
import { createWrite } from './write.ts';

type Kept = JsonAnswer<unknown> & { readonly status: number };

describe('a request with an idempotency key', () => {
  let db: TestDatabase;
  let write: Write;
  let made = 0;
  before(async () => {
    db = await testDatabase();
    await db.sql`create table made (id int)`;
    write = createWrite({
      ...plainWrite,
      ...{ sql: db.sql, outbox: createOutbox(db.sql), terms: termsOfWork },
      announce: async () => true,
    });
  });
  after(() => db.close());
  beforeEach(async () => {
    made = 0;
    await db.sql`truncate made, shared.idempotency_keys`;
  });

  const wish = { principalId: 'p', key: 'k', operation: 'makeThing', request: '{"a":1}' };
  const once = (more: Partial<typeof wish> = {}, work: () => Promise<Kept> = make) =>
    createOnce(createIdempotencyKeys(db.sql)).carryOut({ ...wish, ...more }, work);
  const make = async () => {
    made += 1;
    await write((tx) => tx`insert into made values (${made})`);
    await write((tx) => tx`insert into made values (${-made})`);
    return { status: 201, body: { made } };
  };
  const count = async () => (await db.sql`select 1 from made`).count;
  const codeOf = (work: Promise<unknown>) =>
    work.then(
      () => 'done',
      (error: unknown) => (error instanceof ProblemError ? error.code : (error as Error).name),
    );

  it('is carried out once, and answered the same when it comes again', async () => {
    const first = await once();
    expect(await once()).to.deep.equal(first);
    expect(first).to.deep.equal({ status: 201, body: { made: 1 } });
    expect(await count()).to.equal(2);
  });

  it('is carried out once when it comes twice at the same time', async () => {
    const outcomes = await Promise.all([codeOf(once()), codeOf(once())]);
    expect(outcomes).to.include('done');
    for (const each of outcomes) expect(each).to.match(/^(done|conflict|KeyTakenError)$/);
    expect(await count()).to.equal(2);
  });

  it('is a mistake when it asks for something else', async () => {
    await once();
    expect(await codeOf(once({ request: '{"a":2}' }))).to.equal('unprocessable');
    expect(await codeOf(once({ operation: 'other' }))).to.equal('unprocessable');
    expect(await codeOf(once({ principalId: 'q' }))).to.equal('done');
  });

  it('may be tried again when it changed nothing', async () => {
    const fails = async () => {
      await write(async () => {
        throw new Error('not this time');
      });
      return { status: 204, body: undefined };
    };
    expect(await codeOf(once({}, fails))).to.equal('Error');
    expect(await codeOf(once())).to.equal('done');
  });

  it('is known to be carried out when its answer was lost', async () => {
    const dies = async () => {
      await make();
      throw new Error('the node dies');
    };
    expect(await codeOf(once({}, dies))).to.equal('Error');
    expect(await codeOf(once())).to.equal('conflict');
    expect(await count()).to.equal(2);
    expect(await createIdempotencyKeys(db.sql).forget(0)).to.equal(1);
    expect(new KeyTakenError().message).to.match(/being carried out/);
  });
});
