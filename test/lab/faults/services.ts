import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { mountHung } from '../../hung-mount.ts';
import { until } from '../cluster.ts';
import type { Shared } from '../services.ts';
import { expect, without, type Faults, type Stage } from './fault.ts';

const serviceAway = async (stage: Stage, service: Shared | undefined): Promise<void> => {
  await service?.stop();
  await pause(stage.outageMs);
  await service?.start();
};

const shareName = 'Lab share';
const scanMaxMs = 60_000;

interface Items {
  readonly items: readonly { readonly id: string; readonly name?: string }[];
}

async function get<T>(stage: Stage, path: string): Promise<T> {
  const { status, body, code } = await stage.ask(stage.nodes[0]!, path);
  if (status !== 200) throw new Error(`${path}: ${status} ${code}`);
  return body as T;
}

/** A library on a share of its own, with one film of the lab's. */
async function shareLibrary(stage: Stage): Promise<{ id: string; folder: string }> {
  const folder = join(stage.dir, 'share');
  const { items } = await get<Items>(stage, '/api/v1/libraries');
  const known = items.find(({ name }) => name === shareName);
  if (known) return { id: known.id, folder };
  const films = join(stage.dir, 'films');
  const [first = ''] = await readdir(films);
  const title = 'Shared Film (2001)';
  await mkdir(join(folder, title), { recursive: true });
  await copyFile(join(films, first, `${first}.mkv`), join(folder, title, `${title}.mkv`));
  const json = { kind: 'movie', name: shareName, paths: [folder], scanIntervalMinutes: 0 };
  const made = await stage.ask(stage.nodes[0]!, '/api/v1/libraries', { method: 'POST', json });
  if (made.status !== 201) throw new Error(`the library was not made: ${made.status} ${made.code}`);
  return { id: (made.body as { id: string }).id, folder };
}

const filmsOf = async (stage: Stage, libraryId: string) =>
  (await get<Items>(stage, `/api/v1/movies?limit=100&library=${libraryId}`)).items.length;

/** A share stops answering, is scanned all the same, and is back later. */
async function hangShare(stage: Stage): Promise<void> {
  const { id, folder } = await shareLibrary(stage);
  await until('the film of the share', scanMaxMs, async () =>
    (await filmsOf(stage, id)) === 1 ? true : undefined,
  );
  const mount = await mountHung(folder);
  try {
    const path = `/api/v1/libraries/${id}/scans`;
    const { status, code } = await stage.ask(stage.nodes[0]!, path, { method: 'POST', json: {} });
    stage.tell(`a scan of the share that hangs is asked for: ${status} ${code ?? ''}`);
    await pause(stage.outageMs);
    expect((await filmsOf(stage, id)) === 1, 'the film of a share that hangs is gone');
  } finally {
    await mount.close();
  }
  await pause(stage.outageMs);
  expect((await filmsOf(stage, id)) === 1, 'the film of a share that was away is gone');
}

/** What happens to what all nodes share. */
export const services: Faults = {
  redis: {
    about: 'the shared cache is killed, and back empty later',
    isGlobal: true,
    missing: () => without('redis-server'),
    run: (stage) => serviceAway(stage, stage.redis),
  },
  postgres: {
    about: 'PostgreSQL is stopped, and started again later',
    isGlobal: true,
    gapMs: 10_000,
    stopsWrites: true,
    stopsReads: true,
    run: (stage) => serviceAway(stage, stage.postgres),
  },
  'postgres-kill': {
    about: 'kill -9 of PostgreSQL, which recovers at once',
    isGlobal: true,
    gapMs: 15_000,
    stopsReads: true,
    async run({ postgres, outageMs }) {
      postgres.kill();
      await pause(outageMs);
    },
  },
  'share-hung': {
    about: 'a share with films stops answering, and is scanned all the same',
    isGlobal: true,
    missing: () => without('root'),
    mostTerms: 0,
    run: hangShare,
  },
};
