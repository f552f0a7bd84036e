import type { HandlersOf } from '#api/handler.ts';
import type { Cache } from '#storage/cache/cache.ts';
import { displayName } from '#storage/media/path.ts';
import type { Sql } from '#storage/postgres/connect.ts';
import { problem } from '../errors.ts';
import { callerOf } from '../principal.ts';
import { sees, type Limited } from '../visible.ts';
import { contentType } from './headers.ts';
import { findPlayableFile, type PlayableFile } from './store.ts';

export interface Files {
  /** Throws `not-found`, of what is not there for the viewer, too. */
  get(fileId: string, viewer: Limited): Promise<PlayableFile>;
  readonly handlers: HandlersOf<'getPlaybackFile'>;
}

// Short, because scans change files by the thousand without naming each; what a file truly is when
// it is sent is asked of the disk anyway.
const ttlMs = 30_000;

/** Files by id, through the cache: playing one goes on while the database is away. */
export function createFiles({ sql, cache }: { sql: Sql; cache: Cache }): Files {
  const files = cache.define({
    name: 'playback-file',
    ttlMs,
    negativeTtlMs: 1_000,
    load: (fileId: string) => findPlayableFile(sql, fileId),
    tags: (file: PlayableFile | undefined) =>
      file === undefined ? [] : [`library:${file.libraryId}`],
  });
  const get: Files['get'] = async (fileId, viewer) => {
    const file = await files.get(fileId);
    if (!file || !sees(viewer, file.libraryId)) throw problem('not-found', 'There is no such file');
    return file;
  };
  return {
    get,
    handlers: {
      async getPlaybackFile({ params, principal }) {
        return { body: present(await get(params.fileId, callerOf(principal))) };
      },
    },
  };
}

function present(file: PlayableFile) {
  const { id, itemId, name, role, sizeBytes, mtimeMs, probe } = file;
  return {
    id,
    itemId,
    name: displayName(name),
    role,
    contentType: contentType(name, probe?.container),
    sizeBytes,
    modifiedAt: new Date(mtimeMs).toISOString(),
    isAvailable: !file.isMissing,
    ...(probe && { probe: presentProbe(probe) }),
  };
}

/** What was undefined when it was found is absent in JSON, so the stored form is the shown form. */
function presentProbe(probe: NonNullable<PlayableFile['probe']>) {
  const { container, durationMs, bitrate, streams, chapters } = probe;
  return {
    container,
    ...(durationMs !== undefined && { durationMs }),
    ...(bitrate !== undefined && { bitrate }),
    streams: streams.map(withoutUndefined),
    chapters: chapters.map(withoutUndefined),
  };
}

type Defined<T> = { [Key in keyof T]: Exclude<T[Key], undefined> };

function withoutUndefined<T extends object>(value: T): Partial<Defined<T>> & Solid<T> {
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries) as Partial<Defined<T>> & Solid<T>;
}

/** The properties that are never undefined. */
type Solid<T> = { [Key in keyof T as undefined extends T[Key] ? never : Key]: T[Key] };
