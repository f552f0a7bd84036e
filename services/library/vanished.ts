import type { HandlersOf } from '#api/handler.ts';
import type { components } from '#api/types.ts';
import type { Queryable } from '#storage/postgres/connect.ts';
import { record } from '../activity/record.ts';
import { findLibrary, lockLibrary } from './libraries-store.ts';
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
