import type { HandlersOf } from '#api/handler.ts';
import type { components } from '#api/types.ts';
import { displayName } from '#storage/media/path.ts';
import type { Queryable } from '#storage/postgres/connect.ts';
import { record } from '../activity/record.ts';
import { problem } from '../errors.ts';
import { findLibrary, lockLibrary, rootsOf } from './libraries-store.ts';
import { noLibrary, type Asker } from './manage.ts';
import { lockItems, type ScannerDeps } from './run.ts';
import { confirmVanished, vanishedOf, type Vanished } from './vanished-store.ts';

/** The operations about what vanished. */
export type VanishedHandlers = HandlersOf<'getVanished' | 'confirmVanished' | 'keepVanished'>;

/** Fewer go without asking: whoever deletes a film of four has meant it. */
const filesMin = 20;

/** Whether so much vanished that it is kept until a person confirms it. `percent` of all files. Pure. */
export const isHeld = ({ unconfirmed, known }: Vanished, percent: number): boolean =>
  unconfirmed >= filesMin && unconfirmed * 100 > known * percent;

/**
 * Up to when files of a library must have gone missing to be forgotten: where too much vanished at
 * once, only what a person has confirmed is.
 */
export async function forgettableUntil(
  sql: Queryable,
  libraryId: string,
  { before, percent }: { before: Date; percent: number },
): Promise<Date | undefined> {
  const vanished = await vanishedOf(sql, libraryId);
  if (!isHeld(vanished, percent)) return before;
  const { confirmedAt } = vanished;
  return confirmedAt === null ? undefined : new Date(Math.min(+confirmedAt, +before));
}

/** Builds the operations; `percent` is the setting. */
export function createVanishedRoutes(
  deps: Pick<ScannerDeps, 'store'>,
  percent: () => Promise<number>,
): VanishedHandlers {
  const { sql } = deps.store;
  const show = async (libraryId: string): Promise<components['schemas']['LibraryVanished']> => {
    const vanished = await vanishedOf(sql, libraryId);
    const { files, unconfirmed, known, since, confirmedAt } = vanished;
    return {
      ...{ files, unconfirmed, known, isHeld: isHeld(vanished, await percent()) },
      ...(since && { since: since.toISOString() }),
      ...(confirmedAt && { confirmedAt: confirmedAt.toISOString() }),
      awayFolders: await awayFolders(sql, libraryId),
    };
  };
  return {
    async getVanished({ params }) {
      if ((await findLibrary(sql, params.libraryId)) === undefined) throw noLibrary();
      return { body: await show(params.libraryId) };
    },
    async confirmVanished({ params, principal }) {
      await decide(deps, params.libraryId, { isConfirmed: true, by: principal });
      return { body: await show(params.libraryId) };
    },
    async keepVanished({ params, principal }) {
      await decide(deps, params.libraryId, { isConfirmed: false, by: principal });
      return { body: await show(params.libraryId) };
    },
  };
}

async function decide(
  { store }: Pick<ScannerDeps, 'store'>,
  libraryId: string,
  { isConfirmed, by }: { isConfirmed: boolean; by: Asker },
): Promise<void> {
  await store.write(async (tx, stale) => {
    // What is being marked missing, or forgotten, meanwhile is so before or after the decision.
    await lockItems(tx, libraryId);
    const library = await lockLibrary(tx, libraryId);
    if (library === undefined) throw noLibrary();
    if (isConfirmed) await refuseAway(tx, libraryId);
    const { unconfirmed } = await vanishedOf(tx, libraryId);
    await confirmVanished(tx, libraryId, isConfirmed);
    await record(tx, {
      action: isConfirmed ? 'library.vanished-confirmed' : 'library.vanished-kept',
      ...{ userId: by?.userId, username: by?.username },
      ...{ resourceType: 'library', resourceId: libraryId },
      details: { name: library.name, files: unconfirmed },
    });
    stale(`library:${libraryId}`, 'libraries');
  });
}

/** A confirmation is for all that went before it: of what nobody sees, nobody can give one. */
async function refuseAway(sql: Queryable, libraryId: string): Promise<void> {
  const away = await awayFolders(sql, libraryId);
  if (away.length === 0) return;
  const detail = 'so nobody can say what is gone for good; bring it back, or take it out, first';
  throw problem('conflict', `${away.join(', ')}: away, ${detail}.`);
}

async function awayFolders(sql: Queryable, libraryId: string): Promise<string[]> {
  const roots = await rootsOf(sql, [libraryId]);
  return roots
    .filter(({ unavailableSince }) => unavailableSince !== null)
    .map(({ path }) => displayName(path));
}
