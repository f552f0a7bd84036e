import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Media } from '#storage/media/media.ts';
import type { Sql, Tx } from '#storage/postgres/connect.ts';
import { libraryRig, runJob, type LibraryRig } from '#test/library.ts';
import { createLibrary, libraryScan, type LibraryDeps } from './index.ts';

/** Dependencies that die at step `at`, and stay dead: as after kill -9, nothing more gets through. */
function mortal(deps: LibraryDeps, at: number): { deps: LibraryDeps; wasKilled: () => boolean } {
  let steps = 0;
  const step = () => {
    if (++steps >= at) throw new Error('killed');
  };
  const dying = <T extends object>(target: T): T =>
    new Proxy(target, {
      apply(call, self, args) {
        step();
        const result: unknown = Reflect.apply(call as () => unknown, self, args);
        return result;
      },
    });
  const media = new Proxy(deps.media, {
    get(target, name: keyof Media) {
      const call: unknown = Reflect.get(target, name);
      return typeof call === 'function' ? dying(call) : call;
    },
  });
  const store: LibraryDeps['store'] = {
    sql: dying(deps.store.sql as unknown as () => void) as unknown as Sql,
    async write(work) {
      step();
      const result = await deps.store.write((tx, stale, tell) =>
        work(dying(tx as unknown as () => void) as unknown as Tx, stale, tell),
      );
      step(); // committed, but nobody heard of it
      return result;
    },
  };
  return { deps: { ...deps, media, store }, wasKilled: () => steps >= at };
}

const tree = {
  'A/A.mkv': 'a',
  'A/A.nfo': 'text',
  'B/B.mkv': 'bb',
  'C/C.mkv': 'ccc',
  'D/sub/D.mkv': 'dddd',
  'E/E.mkv': 'eeeee',
};

/** After it: A replaced, its old file in 0; B renamed; C gone; D's folder moved; E kept; F new. */
async function change(at: string): Promise<void> {
  await mkdir(join(at, '0'));
  await rename(join(at, 'A/A.mkv'), join(at, '0/A old.mkv'));
  await writeFile(join(at, 'A/A.mkv'), 'a new one');
  await rename(join(at, 'B/B.mkv'), join(at, 'B/B2.mkv'));
  await rm(join(at, 'C'), { recursive: true });
  await rename(join(at, 'D'), join(at, 'Z'));
  await mkdir(join(at, 'F'));
  await writeFile(join(at, 'F/F.mkv'), 'ffffff');
}

/** What of the catalogue must be the same however often the scan was cut off. */
async function stateOf(rig: LibraryRig, libraryId: string) {
  const files = await rig.db.sql<{ path: string; isMissing: boolean; id: string }[]>`
    select f.path, f.missing_since is not null as "isMissing", f.id, w.title, w.is_available,
      f.probe_state, f.is_refresh_due
    from files f left join plain_works w on w.id = f.item_id
    where f.library_id = ${libraryId} order by f.path, f.size_bytes`;
  const directories = await rig.db.sql`
    select d.path, d.mtime_ms is not null as trusted, d.is_due, d.is_settled,
      d.gone_since is not null as gone
    from directories d join library_roots r on r.id = d.root_id
    where r.library_id = ${libraryId} order by d.path`;
  const works = await rig.db.sql`
    select title, is_available from plain_works where library_id = ${libraryId} order by title`;
  const traces = await rig.db.sql`select * from file_traces where library_id = ${libraryId}`;
  const probes = await rig.db.sql`
    select count(distinct file_id)::int from shared.jobs,
      jsonb_array_elements_text(payload -> 'fileIds') as file_id
    where name = 'library.probe' and payload ->> 'libraryId' = ${libraryId}`;
  const shown = files.map((file) => ({ ...file, id: undefined }));
  const ids = new Map(files.map(({ path, id }) => [path, id]));
  return { ids, shown: { files: shown, directories, works, traces, probes } };
}

const killsMax = 300;
/** All steps where completeness is asked for; else some, to save a minute. */
const stride = process.env['REVENGE_TEST_COMPLETE'] === '1' ? 1 : 7;

describe('a scan that is killed', () => {
  let rig: LibraryRig;
  before(async () => {
    rig = await libraryRig();
  });
  after(() => rig[Symbol.asyncDispose]());

  /** Scans with a kill at step `at`, then again without; true when the kill came to pass. */
  async function scanWithKill(libraryId: string, at: number): Promise<boolean> {
    const scan = await rig.service.startScan(libraryId);
    const { deps, wasKilled } = mortal(rig.deps, at);
    const doomed = runJob(createLibrary(deps), libraryScan.name, { scanId: scan.id });
    const died = await doomed.then(
      () => false,
      () => true,
    );
    expect(died || !wasKilled()).to.equal(true, `step ${at} was survived`);
    if (!died) return false;
    await rig.scan(libraryId);
    return true;
  }

  it('comes to the same end wherever it was cut off', async function () {
    this.timeout(240_000);
    let reference: Awaited<ReturnType<typeof stateOf>>['shown'][] | undefined;
    let kills = 0;
    for (let at = killsMax; at > 0; at = at === killsMax ? 1 : at + stride) {
      const name = `kill-${at}`;
      await rig.write(
        Object.fromEntries(Object.entries(tree).map(([k, v]) => [`${name}/${k}`, v])),
      );
      const { library } = await rig.service.ensureLibrary({
        kind: 'movie',
        name,
        paths: [join(rig.folder, name)],
      });
      const first = await scanWithKill(library.id, at);
      const before = await stateOf(rig, library.id);
      await change(join(rig.folder, name));
      const second = await scanWithKill(library.id, at);
      const after = await stateOf(rig, library.id);
      expect(after.ids.get('0/A old.mkv')).to.equal(before.ids.get('A/A.mkv'));
      expect(after.ids.get('B/B2.mkv')).to.equal(before.ids.get('B/B.mkv'));
      expect(after.ids.get('Z/sub/D.mkv')).to.equal(before.ids.get('D/sub/D.mkv'));
      reference ??= [before.shown, after.shown];
      expect([before.shown, after.shown]).to.deep.equal(reference, `cut off at step ${at}`);
      if (first || second) kills++;
      else if (at < killsMax) break;
    }
    expect(kills * stride).to.be.greaterThan(30);
  });

  it('waits for the database, and carries on', async () => {
    await rig.write({ 'wait/A/A.mkv': 'a', 'wait/B/B.mkv': 'b' });
    let outages = 1;
    const write: LibraryDeps['store']['write'] = async (work) => {
      if (outages-- > 0) throw Object.assign(new Error('gone'), { code: 'ECONNREFUSED' });
      return rig.deps.store.write(work);
    };
    const paths = [join(rig.folder, 'wait')];
    const { library } = await rig.service.ensureLibrary({ kind: 'movie', name: 'wait', paths });
    const service = createLibrary({ ...rig.deps, store: { sql: rig.db.sql, write } });
    const scan = await rig.service.startScan(library.id);
    await runJob(service, libraryScan.name, { scanId: scan.id });
    const { shown } = await stateOf(rig, library.id);
    expect(shown.works).to.have.length(2);
  });

  it('shuts out a run that was given up for dead', async () => {
    await rig.write({ 'two/A/A.mkv': 'a' });
    const paths = [join(rig.folder, 'two')];
    const { library, scan } = await rig.service.ensureLibrary({
      kind: 'movie',
      name: 'two',
      paths,
    });
    let isFirst = true;
    const media = new Proxy(rig.deps.media, {
      get(target, name: keyof Media) {
        if (name !== 'listMany') return Reflect.get(target, name) as unknown;
        return async (...args: Parameters<Media['listMany']>) => {
          const listings = await target.listMany(...args);
          if (isFirst) {
            isFirst = false;
            await rig.scan(library.id); // the successor takes over and completes
          }
          return listings;
        };
      },
    });
    const slow = createLibrary({ ...rig.deps, media });
    await runJob(slow, libraryScan.name, { scanId: scan.id });
    const rows = await rig.db.sql`select id from files where library_id = ${library.id}`;
    expect(rows).to.have.length(1);
    const [row] = await rig.db.sql<{ state: string; epoch: number }[]>`
      select state, epoch from library_scans where id = ${scan.id}`;
    expect(row).to.deep.equal({ state: 'completed', epoch: 2 });
  });
});
