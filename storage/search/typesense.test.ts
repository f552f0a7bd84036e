import { expect } from 'chai';
import { createLogger, transports } from 'winston';
import { Writable } from 'node:stream';
import { searchContract } from '#test/contract/search.ts';
import { fakeTypesense, type FakeTypesense } from '#test/fakes/typesense.ts';
import { quiet } from '#test/log.ts';
import { searchDocument, searchQuery, searchSchema } from '#test/search.ts';
import { SearchUnavailableError } from './engine.ts';
import { createTypesenseSearch, type TypesenseOptions } from './typesense.ts';

const signal = new AbortController().signal;

function engineAt(fake: FakeTypesense, part: Partial<TypesenseOptions> = {}) {
  let clock = 1_000_000;
  const now = () => (clock += 1_000);
  return createTypesenseSearch(
    { schema: searchSchema, log: quiet, now },
    { url: fake.url, apiKey: fake.apiKey, ...part },
  );
}

const failure = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => expect.fail('it should have failed'),
    (error: Error) => error,
  );

describe('search by Typesense', () => {
  searchContract(async () => {
    const fake = await fakeTypesense();
    const engine = engineAt(fake);
    return {
      engine,
      [Symbol.asyncDispose]: async () => {
        await engine[Symbol.asyncDispose]();
        await fake[Symbol.asyncDispose]();
        expect(fake.faults, 'messages against the contract').to.deep.equal([]);
      },
    };
  });

  it('swaps an alias and leaves no collection behind', async () => {
    await using fake = await fakeTypesense();
    await using engine = engineAt(fake);
    for (let round = 0; round < 3; round += 1) {
      const rebuild = await engine.rebuild(signal);
      await rebuild.add([searchDocument({ title: 'Heat' })], signal);
      expect(fake.collections.size).to.equal(round === 0 ? 1 : 2);
      await rebuild.commit(signal);
    }
    expect([...fake.aliases.keys()]).to.deep.equal(['revenge']);
    expect([...fake.collections.keys()]).to.deep.equal([fake.aliases.get('revenge')]);
  });

  it('lets the later of two rebuilds win', async () => {
    await using fake = await fakeTypesense();
    await using engine = engineAt(fake);
    const early = await engine.rebuild(signal);
    const late = await engine.rebuild(signal);
    expect(await failure(early.commit(signal))).to.be.instanceOf(SearchUnavailableError);
    await late.add([searchDocument({ title: 'Heat' })], signal);
    await late.commit(signal);
    expect((await engine.query(searchQuery('heat'))).total).to.equal(1);
  });

  it('is not ready while the index is another format’s', async () => {
    await using fake = await fakeTypesense();
    await using engine = engineAt(fake);
    expect(await engine.health(signal)).to.deep.include({ isUp: true, isReady: false });
    await (await engine.rebuild(signal)).commit(signal);
    expect(await engine.health(signal)).to.deep.include({ isUp: true, isReady: true });
    await using newer = createTypesenseSearch(
      { schema: { ...searchSchema, format: 2 }, log: quiet, now: () => 1 },
      { url: fake.url, apiKey: fake.apiKey },
    );
    expect(await newer.health(signal)).to.deep.include({ isUp: true, isReady: false });
  });

  it('fails when one document of a batch is refused', async () => {
    await using fake = await fakeTypesense();
    await using engine = engineAt(fake);
    await (await engine.rebuild(signal)).commit(signal);
    fake.refuse(({ title }) => title === 'Bad');
    const some = [searchDocument({ title: 'Good' }), searchDocument({ title: 'Bad' })];
    expect((await failure(engine.upsert(some, signal))).message).to.contain('refused');
  });

  it('says so when it is down, stops asking for a while, and comes back', async () => {
    await using fake = await fakeTypesense();
    let clock = 0;
    await using engine = createTypesenseSearch(
      { schema: searchSchema, log: quiet, now: () => clock },
      { url: fake.url, apiKey: fake.apiKey },
    );
    await (await engine.rebuild(signal)).commit(signal);
    fake.behave('unavailable');
    for (let tries = 0; tries < 3; tries += 1) {
      const error = await failure(engine.query(searchQuery('heat')));
      expect(error).to.be.instanceOf(SearchUnavailableError);
    }
    const asked = fake.requests.length;
    expect((await failure(engine.query(searchQuery('heat')))).message).to.contain('not asked');
    expect(fake.requests).to.have.lengthOf(asked);
    fake.behave('well');
    clock += 10_001;
    expect((await engine.query(searchQuery('heat'))).total).to.equal(0);
    expect((await engine.query(searchQuery('heat'))).total).to.equal(0);
  });

  it('waits no longer than it was told to', async () => {
    await using fake = await fakeTypesense();
    await using engine = engineAt(fake, { searchTimeoutMs: 50 });
    fake.behave('silent');
    const error = await failure(engine.query(searchQuery('heat')));
    expect(error).to.be.instanceOf(SearchUnavailableError);
    expect(error.message).to.contain('too slow');
  });

  it('tells a caller who left from an engine that is late', async () => {
    await using fake = await fakeTypesense();
    await using engine = engineAt(fake);
    fake.behave('silent');
    const leaving = new AbortController();
    const asked = engine.query(searchQuery('heat', { signal: leaving.signal }));
    leaving.abort(new Error('gone'));
    expect((await failure(asked)).message).to.equal('gone');
  });

  it('keeps its key to itself', async () => {
    await using fake = await fakeTypesense();
    const said: string[] = [];
    const stream = new Writable({
      write: (chunk: Buffer, _, done) => {
        said.push(chunk.toString());
        done();
      },
    });
    const log = createLogger({ level: 'debug', transports: [new transports.Stream({ stream })] });
    await using engine = createTypesenseSearch(
      { schema: searchSchema, log, now: () => 0 },
      { url: fake.url, apiKey: fake.apiKey },
    );
    for (const mode of ['gone', 'unavailable', 'gone', 'gone'] as const) {
      fake.behave(mode);
      const error = await failure(engine.query(searchQuery('heat')));
      said.push(JSON.stringify(error, Object.getOwnPropertyNames(error)), String(error.cause));
    }
    expect(said.join('\n')).to.contain('typesense').and.not.contain(fake.apiKey);
  });

  it('keeps the contract in every message', async () => {
    await using fake = await fakeTypesense();
    await using engine = engineAt(fake);
    const rebuild = await engine.rebuild(signal);
    await rebuild.add([searchDocument({ title: 'Heat', year: 1995, subtitle: 'x' })], signal);
    await rebuild.commit(signal);
    const filters = { audiences: ['shared'], yearFrom: 1900, facets: { genre: ['x'] } };
    await engine.query(searchQuery('heat', { filters, facets: ['genre'] }));
    await engine.remove('movie', ['a', 'b'], signal);
    expect(fake.faults).to.deep.equal([]);
  });
});
