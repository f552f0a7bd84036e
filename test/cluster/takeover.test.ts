import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import sharp from 'sharp';
import type { components } from '#api/types.ts';
import { startTmdb, type FakeTmdb } from '../fakes/tmdb.ts';
import { report } from '../faults/report.ts';
import { until } from '../lab/cluster.ts';
import type { LabNode } from '../lab/node.ts';
import { gather, openHome, type Home } from './home.ts';

type Schemas = components['schemas'];

const films = 96;
/** A claim is a lease of hours; that its holder is gone must be noticed far sooner. */
const takenOverMaxMs = 60_000;
const workMs = 150_000;

describe('a node of a cluster that is killed with -9 while it works', function () {
  this.timeout(900_000);
  let home: Home;
  let tmdb: FakeTmdb;
  let nodes: LabNode[];
  let token: string;
  let isSlow = true;

  before(async () => {
    const known = Array.from({ length: films }, (_, at) => ({
      ...{ id: at + 1, title: titleOf(at), date: '1990-06-01', minutes: 90 },
    }));
    tmdb = await startTmdb(known);
    const { respond } = tmdb;
    tmdb.respond = async (...asked) => {
      if (isSlow) await pause(500);
      return respond(...asked);
    };
    home = await openHome({
      REVENGE_METADATA_TMDB_URL: `${tmdb.url}/3`,
      REVENGE_METADATA_TMDB_API_KEY: 'key',
    });
    nodes = await Promise.all(['n1', 'n2', 'n3'].map((name) => home.place(name)));
    await gather(nodes);
    token = await home.token(nodes);
  });
  after(async () => {
    await home?.[Symbol.asyncDispose]();
    await tmdb?.[Symbol.asyncDispose]();
  });

  const titleOf = (at: number) => `Film ${'abcdefghij'[Math.floor(at / 10)]}${at % 10}q`;
  const ask = async <T>(path: string, json?: unknown, method = 'POST'): Promise<T> => {
    const response = await fetch(nodes[0]!.url + path, {
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(json === undefined ? {} : { method, body: JSON.stringify(json) }),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  };
  const jobsOf = async (name: string, state: string) =>
    (await ask<Schemas['JobList']>(`/api/v1/jobs?name=${name}&state=${state}&limit=200`)).items;

  const makeFilms = async (folder: string) => {
    for (let at = 0; at < films; at++) {
      const name = `${titleOf(at)} (1990)`;
      await mkdir(join(folder, name), { recursive: true });
      await writeFile(join(folder, name, `${name}.mkv`), `film ${at}`);
      const background = { r: at, g: 9, b: 9 };
      await sharp({ create: { width: 800, height: 1200, channels: 3, background } })
        .jpeg()
        .toFile(join(folder, name, 'poster.jpg'));
    }
  };

  /** Kills a member that holds such jobs; resolves to the milliseconds until others have each. */
  async function killHolder(name: string): Promise<void> {
    const held = await until(`${name} held by a member that may go`, workMs, async () => {
      const running = await jobsOf(name, 'running');
      const theirs = running.filter(({ nodeId }) => nodeId !== 'n1');
      const holder = nodes.find((node) => node.isRunning() && node.name === theirs[0]?.nodeId);
      if (holder === undefined) return undefined;
      return {
        holder,
        ids: theirs.filter(({ nodeId }) => nodeId === holder.name).map((j) => j.id),
      };
    });
    await held.holder.kill();
    const killedAt = performance.now();
    await until(`${name} in other hands`, takenOverMaxMs, async () => {
      const now = await Promise.all(
        held.ids.map((id) => ask<Schemas['Job']>(`/api/v1/jobs/${id}`)),
      );
      const isTaken = now.every(
        ({ state, nodeId }) => state === 'completed' || nodeId !== held.holder.name,
      );
      return isTaken ? true : undefined;
    });
    const takenAfterMs = Math.round(performance.now() - killedAt);
    report('a holder killed', {
      name,
      node: held.holder.name,
      jobs: held.ids.length,
      takenAfterMs,
    });
    held.holder.start();
    await held.holder.ready();
  }

  it('has what it asked of providers, and its pictures, taken over within seconds', async () => {
    const folder = join(home.dir, 'films');
    await makeFilms(folder);
    // One job each, so that all nodes have some.
    await ask('/api/v1/jobs/queues/metadata', { limit: 1 }, 'PATCH');
    const json = { kind: 'movie', name: 'Films', paths: [folder], scanIntervalMinutes: 0 };
    await ask('/api/v1/libraries', json);
    await killHolder('metadata.enrich');
    isSlow = false;
    await killHolder('artwork.refresh');
    await until('all films enriched, with pictures', workMs, async () => {
      const { items } = await ask<Schemas['MoviePage']>('/api/v1/movies?limit=200');
      const whole = items.filter(({ images, rating }) => images['poster'] && rating !== null);
      return whole.length === films ? true : undefined;
    });
    const { items } = await ask<Schemas['MoviePage']>('/api/v1/movies?limit=200');
    expect(items.map(({ title }) => title).sort()).to.deep.equal(
      Array.from({ length: films }, (_, at) => titleOf(at)).sort(),
    );
    expect(await jobsOf('metadata.enrich', 'dead')).to.deep.equal([]);
    expect(await jobsOf('artwork.refresh', 'dead')).to.deep.equal([]);
  });
});
