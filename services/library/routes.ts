import type { HandlersOf } from '#api/handler.ts';
import type { components } from '#api/types.ts';
import type { Sql } from '#storage/postgres/connect.ts';
import { pageOf } from '../cursor.ts';
import { problem } from '../errors.ts';
import { callerOf, permits, type Principal } from '../principal.ts';
import { sees, type Limited } from '../visible.ts';
import { idCursor, problemCursor, readIdCursor, readProblemCursor } from './cursors.ts';
import { listFolders } from './folders.ts';
import { allLibraries, findLibrary, numbersOf, rootsOf } from './libraries-store.ts';
import {
  addLibrary,
  cancelScan,
  changeLibrary,
  dropLibrary,
  noLibrary,
  startScan,
  type Asker,
  type ManageDeps,
} from './manage.ts';
import type { Library, Scan } from './model.ts';
import { libraryJson, problemJson, scanJson } from './present.ts';
import { countProblems, problemPage } from './problems-store.ts';
import { watchesOf } from './watches-store.ts';
import { countScans, findScan, latestScans, scanPage } from './scans-store.ts';

/** The operations of api/libraries.yaml. */
export type LibraryHandlers = HandlersOf<
  | 'listLibraries'
  | 'createLibrary'
  | 'getLibrary'
  | 'updateLibrary'
  | 'deleteLibrary'
  | 'listLibraryScans'
  | 'startLibraryScan'
  | 'listLibraryProblems'
  | 'getScan'
  | 'cancelScan'
  | 'listFolders'
>;

const limitDefault = 50;

/** Where folders lie is for those who may change them. */
const maySeePaths = (principal: Principal | undefined): boolean =>
  principal !== undefined && permits(principal.permissions, 'libraries:write');

/** The handlers of libraries and scans. */
export function createRoutes(deps: ManageDeps): LibraryHandlers {
  return { ...libraryRoutes(deps), ...scanRoutes(deps) };
}

function libraryRoutes(
  deps: ManageDeps,
): HandlersOf<
  | 'listLibraries'
  | 'createLibrary'
  | 'getLibrary'
  | 'updateLibrary'
  | 'deleteLibrary'
  | 'listFolders'
> {
  const { sql } = deps.store;
  const show = async (library: Library, principal: Principal | undefined) => {
    const [roots, numbers, scans] = await Promise.all([
      maySeePaths(principal) ? rootsOf(sql, [library.id]) : undefined,
      numbersOf(sql, library.id),
      latestScans(sql, [library.id]),
    ]);
    const watches = roots && (await watchesOf(sql, idsOf(roots)));
    return libraryJson(library, { roots, watches, numbers, lastScan: scans.get(library.id) });
  };
  return {
    async listLibraries({ principal }) {
      const items = await listAll(sql, callerOf(principal));
      return { body: { items, nextCursor: null, total: items.length } };
    },
    async createLibrary({ body, principal }) {
      const { library } = await addLibrary(
        deps,
        {
          ...body,
          language: body.language ?? 'en',
          options: body.options ?? {},
          scanIntervalMinutes: body.scanIntervalMinutes ?? 60,
        },
        principal,
      );
      const location = `/api/v1/libraries/${library.id}`;
      return { status: 201, headers: { location }, body: await show(library, principal) };
    },
    async getLibrary({ params, principal }) {
      const library = await libraryFor(sql, params.libraryId, callerOf(principal));
      return { body: await show(library, principal) };
    },
    async updateLibrary({ params, body, principal }) {
      const change = { patch: body, by: principal };
      return {
        body: await show(await changeLibrary(deps, params.libraryId, change), principal),
      };
    },
    async deleteLibrary({ params, principal }) {
      await dropLibrary(deps, params.libraryId, principal);
      return { status: 204, body: undefined };
    },
    async listFolders({ query }) {
      return { body: await listFolders(deps, query.path) };
    },
  };
}

const idsOf = (rows: readonly { readonly id: string }[]): string[] => rows.map(({ id }) => id);

/** A library that is there for the caller; throws `not-found`. */
async function libraryFor(sql: Sql, id: string, caller: Limited): Promise<Library> {
  const library = sees(caller, id) ? await findLibrary(sql, id) : undefined;
  if (library === undefined) throw noLibrary();
  return library;
}

/** A scan of such a library; throws `not-found`. */
async function scanFor(sql: Sql, id: string, caller: Limited): Promise<Scan> {
  const scan = await findScan(sql, id);
  if (scan === undefined || !sees(caller, scan.libraryId)) throw noScan();
  return scan;
}

async function listAll(sql: Sql, caller: Principal): Promise<components['schemas']['Library'][]> {
  const withRoots = maySeePaths(caller);
  const libraries = (await allLibraries(sql)).filter(({ id }) => sees(caller, id));
  const ids = libraries.map(({ id }) => id);
  const [roots, scans] = await Promise.all([
    withRoots ? rootsOf(sql, ids) : [],
    latestScans(sql, ids),
  ]);
  const watches = await watchesOf(sql, idsOf(roots));
  const rootsBy = Map.groupBy(roots, ({ libraryId }) => libraryId);
  return libraries.map((library) =>
    libraryJson(library, {
      watches,
      roots: withRoots ? (rootsBy.get(library.id) ?? []) : undefined,
      lastScan: scans.get(library.id),
    }),
  );
}

function scanRoutes(
  deps: ManageDeps,
): HandlersOf<
  'listLibraryScans' | 'startLibraryScan' | 'listLibraryProblems' | 'getScan' | 'cancelScan'
> {
  const { sql } = deps.store;
  return {
    async listLibraryScans({ params, query, principal }) {
      const { libraryId } = params;
      await libraryFor(sql, libraryId, callerOf(principal));
      const { offset, limit = limitDefault } = query;
      const before = offset === undefined ? readIdCursor(query.cursor) : undefined;
      const page = { libraryId, before, offset: offset ?? 0, limit: limit + 1 };
      const rows = await scanPage(sql, page);
      const mayPaths = maySeePaths(principal);
      const { page: scans, last } = pageOf(rows, limit);
      const items = scans.map((row) => scanJson(row, mayPaths));
      const nextCursor = last ? idCursor(last.id) : null;
      if (offset === undefined) return { body: { items, nextCursor } };
      return { body: { items, nextCursor, total: await countScans(sql, libraryId) } };
    },
    async startLibraryScan({ params, body, principal }) {
      const mode = body?.mode ?? 'quick';
      const scan = await startScan(deps, { ...params, mode, by: principal });
      return { status: 202, body: scanJson(scan, maySeePaths(principal)) };
    },
    async listLibraryProblems({ params, query, principal }) {
      const { libraryId } = params;
      await libraryFor(sql, libraryId, callerOf(principal));
      const { offset, limit = limitDefault } = query;
      const after = offset === undefined ? readProblemCursor(query.cursor) : undefined;
      const page = { after, offset: offset ?? 0, limit: limit + 1 };
      const rows = await problemPage(sql, libraryId, page);
      const { page: problems, last } = pageOf(rows, limit);
      const items = problems.map(problemJson);
      const nextCursor = last ? problemCursor(last) : null;
      if (offset === undefined) return { body: { items, nextCursor } };
      return { body: { items, nextCursor, total: await countProblems(sql, libraryId) } };
    },
    async getScan({ params, principal }) {
      const scan = await scanFor(sql, params.scanId, callerOf(principal));
      return { body: scanJson(scan, maySeePaths(principal)) };
    },
    async cancelScan({ params, principal }) {
      const by: Asker = principal;
      const scan =
        (await cancelScan(deps, params.scanId, by)) ?? (await findScan(sql, params.scanId));
      if (scan === undefined) throw noScan();
      return { body: scanJson(scan, maySeePaths(principal)) };
    },
  };
}

const noScan = () => problem('not-found', 'There is no such scan.');
