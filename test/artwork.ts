import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalClock } from '#cluster/clock.ts';
import { createArtwork, type Artwork } from '#services/artwork/index.ts';
import { createAdder } from '#services/jobs/enqueue.ts';
import { createBlobs, type Blobs } from '#storage/blobs/index.ts';
import { createCache } from '#storage/cache/index.ts';
import type { MediaEngine } from '#storage/media/index.ts';
import type { Outbound } from '#storage/outbound/index.ts';
import { principalWith, specOf, testApi } from './http.ts';
import { libraryRows, type FileRow } from './library-rows.ts';
import { quiet } from './log.ts';
import type { TestDatabase } from './postgres.ts';
import { writeOn } from './write.ts';

export interface ItemImage {
  id: string;
  type: string;
  source: string;
  width: number;
  url: string;
  isChosen: boolean;
  isChosenByUser: boolean;
}

/** Artwork of one item, in a folder and behind an API of its own. */
export type ArtworkRig = Awaited<ReturnType<typeof artworkRig>>;

/** Sets one up; `close` when the test is over. */
export async function artworkRig(deps: {
  db: TestDatabase;
  media: MediaEngine;
  outbound: Outbound;
}) {
  const { db } = deps;
  const root = mkdtempSync(join(tmpdir(), 'revenge-artwork-'));
  const rows = await libraryRows(db.sql, root);
  const itemId = randomUUID();
  // What somebody does is logged as theirs.
  const { userId, username, role } = principalWith();
  await db.sql`
    insert into shared.users (id, username, role) values (${userId}, ${username}, ${role})
    on conflict do nothing`;
  const stale: string[] = [];
  const isIdle = { now: true };
  const isThere = { now: true };
  const media = { ...deps.media };
  const blobsIn = (folder: string): Blobs =>
    createBlobs({ dir: join(root, folder), maxBytes: 10_000_000, log: quiet, now: Date.now });
  const node = (blobs: Blobs): Artwork => {
    const clock = createLocalClock({ epoch: 1 });
    clock.onInvalidate((_, tags) => stale.push(...tags));
    const cache = createCache({ clock, log: quiet, now: Date.now, l1MaxBytes: 1_000_000 });
    return createArtwork({
      store: { sql: db.sql, write: writeOn(db.sql, clock) },
      ...{ cache, media, outbound: deps.outbound, jobs: createAdder(), blobs },
      whenIdle: () => Promise.resolve(isIdle.now),
      hasItem: (_sql, _kind, id) => Promise.resolve(isThere.now && id === itemId),
      nameOf: () => Promise.resolve('A film'),
      seesItem: async () => true,
      ...{ signingKey: Buffer.alloc(32, 7), log: quiet },
    });
  };
  const artwork = node(blobsIn('.blobs'));
  const api = await testApi({ handlers: artwork.handlers, spec: specOf('images') });
  const list = async (): Promise<ItemImage[]> => {
    const response = await api.fetch(`/api/v1/items/movie/${itemId}/images`, {
      token: 'movies:read',
    });
    if (response.status !== 200) throw new Error(`images: ${response.status}`);
    return ((await response.json()) as { items: ItemImage[] }).items;
  };
  return {
    ...{ root, rows, itemId, stale, isIdle, isThere, media, blobsIn, node, artwork, api, list },
    /** A file on disk and in the catalogue, as a scan would have it. */
    found: (path: string, role: FileRow['role'], rest: Partial<FileRow> = {}) => {
      const { size, mtimeMs } = statSync(join(root, path));
      return rows.addFile({ path, role, sizeBytes: size, mtimeMs, itemId, ...rest });
    },
    refresh: async (using: Artwork = artwork) => {
      for (const job of using.jobs) {
        await job.run(
          { kind: 'movie', itemIds: [itemId] },
          {
            ...{ jobId: 'test', attempt: 1, log: quiet, progress: () => undefined },
            signal: new AbortController().signal,
          },
        );
      }
    },
    chosen: async (type = 'poster') =>
      (await list()).find((image) => image.type === type && image.isChosen),
    writeClass: (imageId: string, method: 'PUT' | 'DELETE') =>
      api.fetch(`/api/v1/items/movie/${itemId}/images/${imageId}/chosen`, {
        method,
        token: 'movies:write',
      }),
    async close() {
      await api.close();
      rmSync(root, { recursive: true });
    },
  };
}
