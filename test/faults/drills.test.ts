import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type { components } from '#api/types.ts';
import { findTool } from '#storage/media/tools.ts';
import { startTmdb, type FakeTmdb } from '../fakes/tmdb.ts';
import { mountHung } from '../hung-mount.ts';
import { needs } from '../needs.ts';
import { addLibrary, expectRunning, expectWhole, listFilms, rescan, settled } from './check.ts';
import { videosOfRun } from './moments.ts';
import { startFaultNode, until, type FaultNode } from './node.ts';
import { report } from './report.ts';
import { makeTree, type Tree } from './tree.ts';

type Schemas = components['schemas'];

const run = promisify(execFile);
/** Machines differ; what is far too long here is work that does not go on. */
const workMs = 300_000;
/** A killed node is up again, and its work goes on, within this. */
const resumeMaxMs = 60_000;

/** A provider that knows the films of a tree, and takes its time. */
async function providerOf(tree: Tree, answerMs: number): Promise<FakeTmdb> {
  const films = tree.films.map(({ title, year }, at) => ({
    ...{ id: at + 1, title, date: `${year}-06-01`, minutes: 90 },
  }));
  const tmdb = await startTmdb(films);
  const { respond } = tmdb;
  tmdb.respond = async (...asked) => {
    await pause(answerMs);
    return respond(...asked);
  };
  return tmdb;
}

const startAsking = (tmdb: FakeTmdb, env: Record<string, string> = {}) =>
  startFaultNode({
    env: {
      REVENGE_METADATA_TMDB_URL: `${tmdb.url}/3`,
      REVENGE_METADATA_TMDB_API_KEY: 'key',
      ...env,
    },
  });

/** An ffprobe that takes its time as a slow disk would, so that it is met half done anywhere. */
async function slowProbe(folder: string): Promise<string> {
  const { path: real } = findTool('ffprobe', {}) ?? {};
  const path = join(folder, 'slow-ffprobe');
  await writeFile(path, `#!/bin/sh\nsleep 0.2\nexec '${real}' "$@"\n`, { mode: 0o755 });
  return path;
}

type Count = [{ count: number }];

interface Work {
  readonly what: string;
  /** The job that does it. */
  readonly job: string;
  readonly count: (node: FaultNode) => Promise<Count>;
  /** When it is killed, as a part of all there is to do. */
  readonly at: number;
}

/** They go on beside each other; which is half done first is the machine's matter. */
const works: readonly Work[] = [
  {
    ...{ what: 'scan', job: 'LibraryScan', at: 0 },
    count: ({ sql }) => sql<Count>`
      select count(*) from library_scans where state in ('running', 'completed')`,
  },
  {
    ...{ what: 'enrich', job: 'metadata.enrich', at: 1 / 4 },
    count: ({ sql }) => sql<Count>`
      select count(*) from metadata_states where provider_id is not null`,
  },
  {
    ...{ what: 'artwork', job: 'artwork.refresh', at: 1 / 4 },
    count: ({ sql }) => sql<Count>`select count(distinct item_id) from images`,
  },
  {
    ...{ what: 'probe', job: 'library.probe', at: 1 / 4 },
    count: ({ sql }) => sql<Count>`select count(*) from files where probe_state = 'done'`,
  },
];

const enriched = async ({ sql }: FaultNode) => {
  const [{ count }] = await sql<Count>`
    select count(*) from metadata_states where provider_id is not null`;
  return count;
};

const totalOf = ({ what }: Work, tree: Tree): number =>
  what === 'probe' ? tree.videos : tree.films.length;

/** The one of some works that is met half done next. */
async function nextOf(node: FaultNode, left: readonly Work[], tree: Tree): Promise<Work> {
  let found: { work: Work; share: number } | undefined;
  await until(`some of ${left.map(({ what }) => what).join(', ')}`, workMs, async () => {
    expectRunning(node);
    for (const work of left) {
      const share = (await work.count(node))[0].count / totalOf(work, tree);
      if (share > 0 && share >= work.at && share >= (found?.share ?? 0)) found = { work, share };
    }
    return found !== undefined;
  });
  if (found === undefined) throw new Error('nothing was met half done');
  return found.work;
}

/** Kills a node while it works, and starts it again; fails unless that work goes on soon. */
async function drill(node: FaultNode, work: Work, total: number): Promise<void> {
  const { what, job, at, count } = work;
  await node.kill();
  const killedAt = performance.now();
  const [{ count: done }] = await count(node);
  if (at > 0) expect(done, `${what} is half done`).to.be.lessThan(total);
  const [{ now }] = await node.sql<[{ now: Date }]>`select clock_timestamp() as now`;
  const readyAfterMs = Math.round(await node.start());
  await until(`${what} again`, resumeMaxMs, async () => {
    const begun = await node.sql`
      select from shared.jobs where name = ${job} and started_at > ${now} limit 1`;
    return begun.length > 0;
  });
  const goesOnAfterMs = Math.round(performance.now() - killedAt);
  report('node killed', { what, done, of: total, readyAfterMs, goesOnAfterMs });
}

/** Each film has its own record, and nothing there is twice. */
async function expectEnriched({ sql }: FaultNode, films: number): Promise<void> {
  const [counts] = await sql`
    select (select count(distinct provider_id) from metadata_states) as records,
      (select count(*) from metadata_states) as states,
      (select count(distinct value) from external_ids where source = 'tmdb') as ids,
      (select count(*) from movies where sources ->> 'overview' = 'tmdb') as told,
      (select count(*) from credits where role = 'director') as directors,
      (select count(*) from people where name = 'Michael Mann') as people,
      (select count(*) from ratings) as ratings`;
  expect(counts).to.deep.equal({
    ...{ records: films, states: films, ids: films, told: films },
    ...{ directors: films, people: 1, ratings: films },
  });
}

describe('drills', function () {
  needs('ffmpeg', 'ffprobe');
  let tools: string;
  before(async () => {
    tools = await mkdtemp(join(tmpdir(), 'revenge-test-tools-'));
  });
  after(() => rm(tools, { recursive: true }));

  it('kill -9 in the middle of scan, probe, enrich and artwork: each goes on soon', async function () {
    this.timeout(3 * workMs);
    await using tree = await makeTree(videosOfRun(120));
    await using tmdb = await providerOf(tree, 200);
    await using node = await startAsking(tmdb, {
      REVENGE_MEDIA_FFPROBE_PATH: await slowProbe(tools),
    });
    const begin = Date.now();
    await addLibrary(node, tree.folder);
    for (let left = works; left.length > 0;) {
      const work = await nextOf(node, left, tree);
      await drill(node, work, totalOf(work, tree));
      left = left.filter((other) => other !== work);
    }
    await settled(node, workMs);
    report('all done', { films: tree.films.length, afterMs: Date.now() - begin });
    await expectWhole(node, tree);
    await expectEnriched(node, tree.films.length);
  });

  it('a provider that is down for a whole scan: films are there, and enriched once it is back', async function () {
    this.timeout(2 * workMs);
    await using tree = await makeTree(100);
    await using tmdb = await providerOf(tree, 0);
    tmdb.trouble = 503;
    await using node = await startAsking(tmdb);
    await addLibrary(node, tree.folder);
    await until('all is put off', workMs, async () => {
      expectRunning(node);
      const [{ count }] = await node.sql<Count>`
        select count(*) from metadata_states where problem is not null`;
      return count === tree.films.length;
    });
    expect(await listFilms(node)).to.have.length(tree.films.length);
    const askedInVain = tmdb.asked.length;
    tmdb.trouble = undefined;
    const back = performance.now();
    const reached = async (least: number) => {
      await until(`${least} enriched`, workMs, async () => (await enriched(node)) >= least);
      return Math.round(performance.now() - back);
    };
    const firstAfterMs = await reached(1);
    const allAfterMs = await reached(tree.films.length);
    report('provider back', { films: tree.films.length, askedInVain, firstAfterMs, allAfterMs });
    await settled(node, workMs);
    await expectWhole(node, tree);
    await expectEnriched(node, tree.films.length);
  });
});

describe('drills of mounts', function () {
  needs('ffmpeg', 'root', 'mount');
  this.timeout(workMs);
  let tree: Tree;
  let node: FaultNode;
  let libraryId: string;

  before(async function () {
    tree = await makeTree(100);
    node = await startFaultNode();
    libraryId = await addLibrary(node, tree.folder);
    await settled(node, workMs);
  });
  after(async () => {
    await node?.[Symbol.asyncDispose]();
    await tree?.[Symbol.asyncDispose]();
  });

  const isThere = async () => {
    const { roots } = await node.read<Schemas['Library']>(`/api/v1/libraries/${libraryId}`);
    return roots![0]!.isAvailable;
  };
  const all = async () =>
    (await listFilms(node)).map(({ id, title, isAvailable, images }) => ({
      ...{ id, title, isAvailable, images: Object.keys(images).sort() },
    }));
  const mount = (...words: string[]) => run('mount', words);

  /** What a mount does to the folder, and what is to be seen of the films meanwhile. */
  const table: readonly {
    what: string;
    isAway: boolean;
    leave: () => Promise<() => Promise<unknown>>;
  }[] = [
    {
      what: 'hangs',
      isAway: true,
      async leave() {
        const hung = await mountHung(tree.folder);
        return () => hung.close();
      },
    },
    {
      what: 'is empty',
      isAway: true,
      async leave() {
        const aside = `${tree.folder}-aside`;
        await rename(tree.folder, aside);
        await mkdir(tree.folder);
        return async () => {
          await rmdir(tree.folder);
          await rename(aside, tree.folder);
        };
      },
    },
    {
      what: 'is read-only',
      isAway: false,
      async leave() {
        await mount('--bind', tree.folder, tree.folder);
        await mount('-o', 'remount,bind,ro', tree.folder);
        return () => run('umount', [tree.folder]);
      },
    },
  ];
  for (const { what, isAway, leave } of table) {
    it(`a mount that ${what}, and is back: nothing is lost, nothing doubled`, async () => {
      const before = await all();
      const enter = await leave();
      const begin = performance.now();
      try {
        expect(await rescan(node, libraryId)).to.include({ state: 'completed' });
        const scannedAfterMs = Math.round(performance.now() - begin);
        expect(await isThere()).to.equal(!isAway);
        const during = before.map((film) => ({ ...film, isAvailable: !isAway }));
        expect(await all()).to.deep.equal(during);
        report('mount away', { what, scannedAfterMs });
      } finally {
        await enter();
      }
      const backAt = performance.now();
      await until('the folder again', workMs, async () => {
        await rescan(node, libraryId);
        return isThere();
      });
      report('mount back', { what, seenAfterMs: Math.round(performance.now() - backAt) });
      expect(await all()).to.deep.equal(before);
      await expectWhole(node, tree);
    });
  }
});
