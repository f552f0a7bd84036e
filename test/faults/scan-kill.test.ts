import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { needs } from '../needs.ts';
import { addLibrary, expectRunning, expectWhole, settled } from './check.ts';
import { killMoments, videosOfRun, type Moment } from './moments.ts';
import { startFaultNode, until, type FaultNode } from './node.ts';
import { report } from './report.ts';
import { makeTree } from './tree.ts';

const seed = 20_260_731;
const recoverMs = 60_000;

describe('kill -9 in the middle of a scan', function () {
  needs('ffmpeg');
  const videos = videosOfRun(400);
  // Machines differ; what is far too long here is a scan that does not go on.
  const workMs = 300_000 + videos * 600;

  it('of the node, eight times: the scan ends by itself and nothing is amiss', async function () {
    this.timeout(2 * workMs);
    await using tree = await makeTree(videos);
    await using node = await startFaultNode();
    const begin = Date.now();
    await addLibrary(node, tree.folder);
    for (const moment of killMoments(tree, seed)) {
      await reached(node, moment, workMs);
      const atMs = Date.now() - begin;
      await node.kill();
      report('node killed', { ...moment, atMs, readyAfterMs: Math.round(await node.start()) });
    }
    await settled(node, workMs);
    report('scan done', { videos, films: tree.films.length, afterMs: Date.now() - begin });
    await expectWhole(node, tree);
  });

  it('of PostgreSQL: the node starts it again and the scan goes on', async function () {
    this.timeout(2 * workMs);
    await using tree = await makeTree(videos);
    await using node = await startFaultNode();
    const pid = node.pid();
    const begin = Date.now();
    await addLibrary(node, tree.folder);
    for (const [index, moment] of killMoments(tree, seed + 1).entries()) {
      await reached(node, moment, workMs);
      const atMs = Date.now() - begin;
      const victim = index % 4 === 3 ? await backendOf(node) : await postmasterOf(node);
      process.kill(victim.pid, 'SIGKILL');
      const tookMs = await backAgain(node, victim);
      report(`${victim.what} killed`, { ...moment, atMs, backAfterMs: Math.round(tookMs) });
    }
    await settled(node, workMs);
    report('scan done', { videos, films: tree.films.length, afterMs: Date.now() - begin });
    expect(node.isRunning(), 'the node runs').to.equal(true);
    expect(node.pid(), 'its process').to.equal(pid);
    await expectWhole(node, tree);
  });
});

/** The moment itself, and a little later, so that the kill does not fall on a commit. */
async function reached(node: FaultNode, { what, least, laterMs }: Moment, maxMs: number) {
  await until(`${least} ${what}`, maxMs, async () => {
    expectRunning(node);
    return (await countOf(node, what)) >= least;
  });
  await pause(laterMs);
}

/** One count at a time, since it is asked for often while the node needs the machine. */
async function countOf({ sql }: FaultNode, what: Moment['what']): Promise<number> {
  const counts = {
    directories: () => sql<Count>`select count(*) from directories`,
    films: () => sql<Count>`select count(*) from movies`,
    probes: () => sql<Count>`select count(*) from files where probe_state = 'done'`,
    pictures: () => sql<Count>`select count(distinct item_id) from images`,
  };
  const [row] = await counts[what]();
  return row.count;
}

type Count = [{ count: number }];

interface Victim {
  readonly what: 'postmaster' | 'backend';
  readonly pid: number;
}

async function postmasterOf({ dataDir }: FaultNode): Promise<Victim> {
  const text = await readFile(join(dataDir, 'pg', 'postmaster.pid'), 'utf8');
  return { what: 'postmaster', pid: Number(text.split('\n')[0]) };
}

/** One of those that work for the node, at work if any is. */
async function backendOf({ sql }: FaultNode): Promise<Victim> {
  const [row] = await sql<{ pid: number }[]>`
    select pid from pg_stat_activity
    where backend_type = 'client backend' and pid <> pg_backend_pid()
    order by state <> 'active', backend_start desc limit 1`;
  return { what: 'backend', pid: row!.pid };
}

/** Milliseconds until the victim is gone, PostgreSQL answers, and the node says it is ready. */
async function backAgain(node: FaultNode, { what, pid }: Victim): Promise<number> {
  const begin = performance.now();
  await until('PostgreSQL again', recoverMs, async () => {
    expectRunning(node);
    // What a killed postmaster leaves behind answers for a moment yet.
    if (what === 'postmaster' && (await postmasterOf(node)).pid === pid) return false;
    const [row] = await node.sql`
      select not exists (select from pg_stat_activity where pid = ${pid}) as gone`;
    return row?.['gone'] === true;
  });
  await until('an answer of the node', recoverMs, async () => {
    const response = await node.fetch('/api/v1/libraries');
    await response.body?.cancel();
    return response.status === 200;
  });
  return performance.now() - begin;
}
