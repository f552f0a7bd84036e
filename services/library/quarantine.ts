import type { HandlersOf } from '#api/handler.ts';
import { displayName } from '#storage/media/path.ts';
import type { Queryable } from '#storage/postgres/connect.ts';
import { record } from '../activity/record.ts';
import { pageOf } from '../cursor.ts';
import { problem, type ProblemError } from '../errors.ts';
import { idCursor, readIdCursor } from './cursors.ts';
import { releaseItems } from './items.ts';
import { findLibrary, lockLibrary } from './libraries-store.ts';
import { noLibrary, type Asker } from './manage.ts';
import { joinPath, type Library } from './model.ts';
import { awayFolderOf, deleteMissingOf, keepMissing, missingPage } from './quarantine-store.ts';
import { lockItems, type ScannerDeps } from './run.ts';

/** The operations about single works that are missing. */
export type QuarantineHandlers = HandlersOf<
  'listMissingFiles' | 'keepMissingItem' | 'releaseMissingItem' | 'forgetMissingItem'
>;

const limitDefault = 50;
const dayMs = 86_400_000;
const done = { status: 204, body: undefined } as const;

/** Builds the operations; `graceDays` is how long what is missing is kept. */
export function createQuarantineRoutes(
  deps: ScannerDeps,
  graceDays: () => Promise<number>,
): QuarantineHandlers {
  const { sql } = deps.store;
  return {
    async listMissingFiles({ params, query }) {
      const library = await findLibrary(sql, params.libraryId);
      if (library === undefined) throw noLibrary();
      const { limit = limitDefault, cursor } = query;
      const after = { afterId: readIdCursor(cursor), limit: limit + 1 };
      const { page, last } = pageOf(await missingPage(sql, library.id, after), limit);
      const graceMs = (await graceDays()) * dayMs;
      const items = page.map((file) => ({
        ...{ fileId: file.id, itemId: file.itemId, kind: library.kind, isKept: file.isKept },
        path: displayName(joinPath(file.rootPath, file.path)),
        sizeBytes: file.sizeBytes,
        missingSince: file.missingSince.toISOString(),
        keptUntil: file.isKept ? null : new Date(+file.missingSince + graceMs).toISOString(),
      }));
      return { body: { items, nextCursor: last === undefined ? null : idCursor(last.id) } };
    },
    async keepMissingItem({ params, principal }) {
      await keep(deps, params, { isKept: true, by: principal });
      return done;
    },
    async releaseMissingItem({ params, principal }) {
      await keep(deps, params, { isKept: false, by: principal });
      return done;
    },
    async forgetMissingItem({ params, principal }) {
      await forget(deps, params, principal);
      return done;
    },
  };
}

interface Which {
  readonly libraryId: string;
  readonly itemId: string;
}

async function keep(
  { store }: ScannerDeps,
  which: Which,
  { isKept, by }: { isKept: boolean; by: Asker },
): Promise<void> {
  await store.write(async (tx, stale) => {
    await lockItems(tx, which.libraryId);
    const library = await lockLibrary(tx, which.libraryId);
    if (library === undefined) throw noLibrary();
    const files = await keepMissing(tx, { ...which, isKept });
    if (files === 0) throw await nothingMissing(tx, which);
    const action = isKept ? 'library.missing-kept' : 'library.missing-released';
    await record(tx, { action, ...said(library, which, { files, by }) });
    stale(`library:${library.id}`);
  });
}

/** Forgets what is missing of a work at once; and the work, with all people did, if nothing is left. */
async function forget(deps: ScannerDeps, which: Which, by: Asker): Promise<void> {
  await deps.store.write(async (tx, stale, tell) => {
    await lockItems(tx, which.libraryId);
    const library = await lockLibrary(tx, which.libraryId);
    if (library === undefined) throw noLibrary();
    const module = deps.modules.get(library.kind);
    const files = await deleteMissingOf(tx, which);
    if (files === 0 || module === undefined) throw await nothingMissing(tx, which);
    const { libraryId, itemId } = which;
    const { onItemsChanged } = deps;
    await releaseItems(tx, { module, libraryId, itemIds: [itemId], onItemsChanged, stale });
    const action = 'library.missing-forgotten';
    await record(tx, { action, ...said(library, which, { files, by }) });
    stale(`library:${libraryId}`);
    tell('library.changed', { libraryId, change: 'updated' });
  });
}

/** Of what is away nobody can say what will be missing, and what was taken out is not kept. */
async function nothingMissing(sql: Queryable, which: Which): Promise<ProblemError> {
  const folder = await awayFolderOf(sql, which);
  if (folder === undefined) return problem('not-found', 'Nothing of this work is missing.');
  const path = displayName(folder.path);
  return problem(
    'conflict',
    folder.isRemoved
      ? `${path} was taken out of the library: what lies in it is forgotten with it.`
      : `${path} is away: nothing in it counts as missing, or is forgotten, until it is back.`,
  );
}

const said = (
  { name, kind }: Library,
  { itemId }: Which,
  { files, by }: { files: number; by: Asker },
) => ({
  ...{ userId: by?.userId, username: by?.username },
  ...{ resourceType: kind, resourceId: itemId },
  details: { name, files },
});
