import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { libraryRig, runJob, type LibraryRig } from '#test/library.ts';
import { quiet } from '#test/log.ts';
import { createWatcher, type Hearing, type Watcher } from '#storage/media/watch.ts';

/** Hears what a test says. */
function spokenWatcher(): Watcher & { readonly heard: Map<string, Hearing> } {
  const heard = new Map<string, Hearing>();
  return {
    heard,
    watch(folder, hearing) {
      heard.set(folder, hearing);
      hearing.onListening();
    },
    unwatch: (folder) => void heard.delete(folder),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

describe('watching libraries', () => {
  let rig: LibraryRig;
  let stack: AsyncDisposableStack;
  beforeEach(async () => {
    rig = await libraryRig();
    stack = new AsyncDisposableStack();
  });
  afterEach(async () => {
    await stack.disposeAsync();
    await rig[Symbol.asyncDispose]();
  });
  const at = (...path: string[]) => join(rig.folder, ...path);
  const timing = { quietMs: 20, tickMs: 10, lookMs: 20, leaseMs: 60_000, againMs: 60_000 };
  const watch = (nodeId: string, watcher: Watcher, changed: Partial<typeof timing> = {}) =>
    stack.use(
      rig.service.watchFolders({
        ...{ watcher, nodeId, clock: () => performance.now() },
        timing: { ...timing, ...changed },
      }),
    );
  const until = async <T>(find: () => Promise<T | undefined>): Promise<T> => {
    for (;;) {
      const found = await find();
      if (found !== undefined) return found;
      await pause(10);
    }
  };
  const arrived = () =>
    until(async () => {
      const rows = await rig.db.sql<{ path: string; isGone: boolean }[]>`
        select path, is_gone as "isGone" from library_arrivals order by path`;
      return rows.length > 0 ? rows : undefined;
    });
  const owner = (nodeId: string) =>
    until(async () => {
      const [row] = await rig.db.sql`
        select from library_watches where is_watching and node_id = ${nodeId}`;
      return row;
    });

  it('brings what comes into the catalogue by itself', async () => {
    await rig.write({ 'm/A/A.mkv': 'a' });
    const id = await rig.add('Films', 'm');
    watch('n1', stack.use(createWatcher({ log: quiet })));
    await owner('n1');
    await mkdir(at('m/B'));
    // It may not listen yet: who begins to watch has not heard what came before.
    let count = 0;
    await until(async () => {
      await writeFile(at('m/B/B.mkv'), `b${count++}`);
      const rows = await rig.db.sql`select from library_arrivals`;
      return rows.length > 0 ? rows : undefined;
    });
    await runJob(rig.service, 'library.arrivals', { libraryId: id });
    const rows = await rig.db.sql<{ path: string }[]>`select path from files order by path`;
    expect(rows.map(({ path }) => path)).to.deep.equal(['A/A.mkv', 'B/B.mkv']);
  });

  it('is one node’s, and another’s once that one is silent; a scan finds what nobody heard', async () => {
    await rig.write({ 'm/A/A.mkv': 'a' });
    await rig.add('Films', 'm');
    const [one, two] = [spokenWatcher(), spokenWatcher()];
    watch('n1', one, { lookMs: 600_000 });
    await owner('n1');
    watch('n2', two);
    await until(() => Promise.resolve(one.heard.has(at('m')) ? true : undefined));
    expect([...two.heard]).to.deep.equal([]);
    // The first says nothing for so long that it is taken for dead.
    await rig.db.sql`update library_watches set until = now() - interval '1 s'`;
    await owner('n2');
    await until(async () => {
      const [scan] = await rig.db.sql`select from library_scans where state = 'queued'`;
      return scan;
    });
    expect([...two.heard.keys()]).to.deep.equal([at('m')]);
  });

  it('is given up where events do not arrive, which is shown with the reason', async () => {
    await rig.write({ 'm/A/A.mkv': 'a' });
    const id = await rig.add('Films', 'm');
    const watcher = spokenWatcher();
    watch('n1', watcher);
    const hearing = await until(() => Promise.resolve(watcher.heard.get(at('m'))));
    hearing.onEnd('NFS does not tell');
    const library = await until(async () => {
      const { body } = (await rig.service.handlers.getLibrary({
        params: { libraryId: id },
        query: {},
        principal: { permissions: new Set(['libraries:write']) },
      } as never)) as { body: { roots: { isWatched: boolean; unwatchedReason?: string }[] } };
      return body.roots[0]?.unwatchedReason === undefined ? undefined : body.roots[0];
    });
    expect(library).to.include({ isWatched: false, unwatchedReason: 'NFS does not tell' });
  });

  it('tells what went, and asks for a scan when it was too much to tell', async () => {
    await rig.write({ 'm/A/A.mkv': 'a' });
    await rig.add('Films', 'm');
    const watcher = spokenWatcher();
    watch('n1', watcher);
    const hearing = await until(() => Promise.resolve(watcher.heard.get(at('m'))));
    await rm(at('m/A/A.mkv'));
    hearing.onEvents([{ path: at('m/A/A.mkv'), isGone: true }]);
    expect(await arrived()).to.deep.equal([{ path: 'A/A.mkv', isGone: true }]);
    await rig.db.sql`delete from library_arrivals`;
    // It came and went again: nothing is waited for.
    hearing.onEvents([{ path: at('m/B'), isGone: false }]);
    expect(await arrived()).to.deep.equal([{ path: 'B', isGone: true }]);
    hearing.onEvents(undefined);
    await until(async () => {
      const [scan] = await rig.db.sql`select from library_scans where state = 'queued'`;
      return scan;
    });
  });

  it('ends with the library, and says so when the node stops', async () => {
    await rig.write({ 'm/A/A.mkv': 'a' });
    const id = await rig.add('Films', 'm');
    const watcher = spokenWatcher();
    const watching = watch('n1', watcher);
    await owner('n1');
    await watching[Symbol.asyncDispose]();
    expect((await rig.db.sql`select from library_watches`).length).to.equal(0);
    watch('n2', watcher);
    await owner('n2');
    await rig.db.sql`delete from libraries where id = ${id}`;
    await until(() => Promise.resolve(watcher.heard.size === 0 ? true : undefined));
  });
});
