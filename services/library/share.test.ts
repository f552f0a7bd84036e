import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { MediaError, type Media } from '#storage/media/media.ts';
import { libraryRig, runJob, type LibraryRig } from '#test/library.ts';
import { createLibrary, type LibraryDeps } from './index.ts';
import { readDirectories } from './read-jobs.ts';

const films = 60;
const sharing = { from: 8, beginMs: 20_000, helpMs: 20_000 };

/** Media whose listings go through `then` first. */
const through = (media: Media, then: (call: () => Promise<unknown>) => Promise<unknown>): Media =>
  new Proxy(media, {
    get(target, name: keyof Media) {
      if (name !== 'listMany') return Reflect.get(target, name) as unknown;
      return (...args: Parameters<Media['listMany']>) => then(() => target.listMany(...args));
    },
  });

describe('a scan that is shared among nodes', function () {
  let rig: LibraryRig;
  let root: string;
  beforeEach(async () => {
    rig = await libraryRig();
    root = join(rig.folder, 'm');
    const tree = Array.from({ length: films }, (_, nth) => {
      const name = `Film ${nth} (2000)`;
      return [
        [`m/${name}/${name}.mkv`, `film ${nth}`],
        [`m/${name}/Extras/more.mkv`, `extra ${'x'.repeat(nth)}`],
      ];
    });
    await rig.write(Object.fromEntries(tree.flat() as [string, string][]));
  });
  afterEach(() => rig[Symbol.asyncDispose]());

  const change = (deps: Partial<LibraryDeps>) => ({ ...rig.deps, sharing, ...deps });

  /** One job of another node: the next that waits. */
  async function takeJob(): Promise<object | undefined> {
    const [job] = await rig.db.sql<{ payload: object }[]>`
      update shared.jobs set state = 'completed', finished_at = now()
      where id = (select id from shared.jobs
        where name = ${readDirectories.name} and state = 'waiting' order by id limit 1
        for update skip locked)
      returning payload`;
    return job?.payload;
  }

  /** Other nodes, each with its own view of the folders, for as long as `work` takes. */
  async function helped<T>(nodes: readonly Partial<LibraryDeps>[], work: () => Promise<T>) {
    let isOver = false;
    const done = nodes.map(() => 0);
    const loops = nodes.map(async (deps, node) => {
      const service = createLibrary(change(deps));
      while (!isOver) {
        const payload = await takeJob();
        if (payload === undefined) await pause(2);
        else {
          await runJob(service, readDirectories.name, payload);
          done[node] = (done[node] ?? 0) + 1;
        }
      }
    });
    try {
      return { result: await work(), done };
    } finally {
      isOver = true;
      await Promise.all(loops);
    }
  }

  async function add(): Promise<string> {
    const { library } = await rig.service.ensureLibrary({
      ...{ kind: 'movie', name: 'Films', paths: [root] },
    });
    return library.id;
  }

  async function stateOf(libraryId: string) {
    const { sql } = rig.db;
    const files = await sql<{ path: string; title: string; missing: boolean }[]>`
      select f.path, w.title, f.missing_since is not null as missing
      from files f left join plain_works w on w.id = f.item_id
      where f.library_id = ${libraryId} order by 1`;
    const [left] = await sql`
      select count(*)::int as count from directories where is_due or not is_settled`;
    const [works] = await sql`select count(*)::int as count from plain_works`;
    return {
      files: [...files],
      left: left?.['count'] as number,
      works: works?.['count'] as number,
    };
  }

  async function expectWhole(libraryId: string) {
    const { files, left } = await stateOf(libraryId);
    const paths = Array.from({ length: films }, (_, nth) => `Film ${nth} (2000)`)
      .flatMap((name) => [`${name}/${name}.mkv`, `${name}/Extras/more.mkv`])
      .sort();
    expect(files.map(({ path }) => path).sort()).to.deep.equal(paths);
    expect(files.filter(({ missing }) => missing)).to.deep.equal([]);
    expect(files.every(({ title }) => title !== null)).to.equal(true);
    expect(left).to.equal(0);
  }

  it('is read by all of them, and each file is there once', async () => {
    const id = await add();
    const { result, done } = await helped([{}, {}], () => rig.scan(id, { deps: { sharing } }));
    expect(result).to.deep.include({ filesNew: 2 * films, directories: 2 * films + 1 });
    expect(done[0]! + done[1]!).to.be.greaterThan(0);
    await expectWhole(id);
  });

  it('is carried out by one where nobody helps, or nobody else sees the folders', async () => {
    const id = await add();
    await rig.scan(id, { deps: { sharing: { from: 8, beginMs: 0 } } });
    await expectWhole(id);
    await rig.db.sql`update shared.jobs set state = 'cancelled' where state = 'waiting'`;
    const blind = through(rig.deps.media, () =>
      Promise.reject(new MediaError('unavailable', 'not mounted here')),
    );
    const deps = { sharing: { from: 8, beginMs: 500 } };
    await helped([{ media: blind }], () => rig.scan(id, { mode: 'full', deps }));
    await expectWhole(id);
  });

  it('is the same when a node sleeps over what it has read', async () => {
    const id = await add();
    const awake = Promise.withResolvers<void>();
    let isFirst = true;
    const slow = through(rig.deps.media, async (call) => {
      const listings = await call();
      if (!isFirst) return listings;
      isFirst = false;
      await awake.promise;
      return listings;
    });
    const scanning = rig.scan(id, { deps: { sharing: { ...sharing, beginMs: 500 } } });
    const sleeping = helped([{ media: slow }], async () => {
      // What it holds is read by the run in the end; it wakes up when that goes on to the rest.
      await scanning;
      awake.resolve();
    });
    await sleeping;
    await expectWhole(id);
  });

  it('does not take in twice what two nodes read at the same time', async () => {
    const id = await add();
    const twice = async () => {
      const payload = await takeJob();
      if (payload === undefined) return pause(2);
      const both = [{}, {}].map((deps) =>
        runJob(createLibrary(change(deps)), readDirectories.name, payload),
      );
      await Promise.all(both);
    };
    let isOver = false;
    const scanning = rig.scan(id, { deps: { sharing } }).finally(() => (isOver = true));
    while (!isOver) await twice();
    const counters = await scanning;
    expect(counters).to.deep.include({ filesNew: 2 * films, directoriesRead: 2 * films + 1 });
    await expectWhole(id);
  });

  it('lets only its own run conclude that something is gone', async () => {
    const id = await add();
    await rig.scan(id);
    await rig.db.sql`delete from shared.jobs where state = 'waiting'`;
    for (let nth = 0; nth < 20; nth += 1) {
      const name = `Film ${nth} (2000)`;
      await rm(join(root, name, 'Extras'), { recursive: true });
      await rename(join(root, name, `${name}.mkv`), join(root, name, `${name} cut.mkv`));
    }
    await mkdir(join(root, 'New (2001)'));
    await writeFile(join(root, 'New (2001)', 'New.mkv'), 'new');
    let losses = 0;
    const watched: LibraryDeps['store'] = {
      sql: rig.deps.store.sql,
      write: (work) =>
        rig.deps.store.write(async (tx, stale, tell) => {
          const [before] = await tx`select count(*)::int as count from files
            where missing_since is not null`;
          const result = await work(tx, stale, tell);
          const [after] = await tx`select count(*)::int as count from files
            where missing_since is not null`;
          losses += (after?.['count'] as number) - (before?.['count'] as number);
          return result;
        }),
    };
    const deps = { sharing: { from: 8, beginMs: 500, helpMs: 500 } };
    const { done } = await helped([{ store: watched }], () => rig.scan(id, { mode: 'full', deps }));
    expect(done[0]).to.be.greaterThan(0);
    expect(losses).to.equal(0);
    const { files, left } = await stateOf(id);
    expect(left).to.equal(0);
    const there = files.filter(({ missing }) => !missing).map(({ path }) => path);
    expect(there).to.have.length(2 * films - 20 + 1);
    expect(there.filter((path) => path.endsWith(' cut.mkv'))).to.have.length(20);
    expect(files.filter(({ missing }) => missing)).to.have.length(20);
  });

  it('ends its jobs when it is cancelled', async () => {
    const id = await add();
    let isCancelled = false;
    const media = through(rig.deps.media, async (call) => {
      const listings = await call();
      if (!isCancelled) {
        isCancelled = true;
        await rig.db.sql`update library_scans set state = 'cancelled', finished_at = now()`;
      }
      return listings;
    });
    const scan = rig.scan(id, { deps: { sharing } }).then(
      () => 'completed',
      (error: Error) => error.message,
    );
    await helped([{ media }], async () => expect(await scan).to.equal('the scan is cancelled'));
    expect((await stateOf(id)).works).to.equal(0);
  });
});
