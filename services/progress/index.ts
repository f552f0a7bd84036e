import type { HandlersOf } from '#api/handler.ts';
import type { Tx } from '#storage/postgres/connect.ts';
import type { Store } from '../changes.ts';
import { problem } from '../errors.ts';
import type { Principal } from '../principal.ts';
import type { Viewer } from '../visible.ts';
import { exportWatchlist } from './export.ts';
import type { CompoundKind, ProgressKind } from './kinds.ts';
import { markParts } from './compound.ts';
import { listPage } from './lists.ts';
import { presentState, type UserStateView } from './present.ts';
import { readProgress } from './rules.ts';
import {
  noState,
  saveProgress,
  saveShelf,
  saveWatched,
  statesOf,
  type Shelf,
  type StateKey,
  type ViewedKey,
} from './store.ts';

export interface ProgressDeps extends Store {
  readonly kinds: readonly ProgressKind[];
  readonly compounds: readonly CompoundKind[];
  /**
   * The database's time, in milliseconds. Of two reports the later one counts, and nodes' own clocks
   * do not agree on which that is.
   */
  readonly now: (tx: Tx) => Promise<number>;
}

/** Operations of api/me.yaml that this module carries out. */
export type ProgressOperation =
  | 'getProgress'
  | 'putProgress'
  | 'markWatched'
  | 'unmarkWatched'
  | 'addFavourite'
  | 'removeFavourite'
  | 'addToWatchlist'
  | 'removeFromWatchlist'
  | 'listContinueWatching'
  | 'listFavourites'
  | 'listWatchlist'
  | 'exportWatchlist';

/** A report of progress, from a client or from playback itself. */
export interface Report {
  readonly positionMs: number;
  readonly durationMs?: number | undefined;
  /** Milliseconds; now, unless given. */
  readonly atMs?: number | undefined;
  readonly fileId?: string | undefined;
}

export interface Progress {
  readonly handlers: HandlersOf<ProgressOperation>;
  /** Notes how far somebody is; throws `not-found` for a work that is not there for them. */
  report(key: ViewedKey, report: Report): Promise<UserStateView>;
}

/** What people have watched, want to watch and like; state belongs to works, not to files. */
export function createProgress(deps: ProgressDeps): Progress {
  const { sql, now } = deps;
  const change = (key: ViewedKey, save: (tx: Tx) => Promise<void>) => changeState(deps, key, save);
  const watched = (isWatched: boolean) => async (call: ItemCall) => {
    const key = keyOf(call);
    const compound = deps.compounds.find(({ kind }) => kind === key.kind);
    if (compound !== undefined) {
      return { body: await markParts(deps, key, { compound, isWatched }) };
    }
    const save = async (tx: Tx) => saveWatched(tx, key, { isWatched, atMs: await now(tx) });
    return { body: await change(key, save) };
  };
  const shelve = (shelf: Shelf, isOn: boolean) => async (call: ItemCall) => {
    const key = keyOf(call);
    const save = async (tx: Tx) => saveShelf(tx, key, { shelf, atMs: isOn ? await now(tx) : null });
    return { body: await change(key, save) };
  };
  const report: Progress['report'] = (key, { positionMs, durationMs, atMs, fileId }) =>
    change(key, async (tx) => {
      const nowMs = await now(tx);
      const progress = readProgress({ positionMs, durationMs, atMs: atMs ?? nowMs }, nowMs);
      await saveProgress(tx, key, { ...progress, durationMs, fileId });
    });
  return {
    report,
    handlers: {
      async getProgress(call) {
        const key = keyOf(call);
        await requireItem(deps, sql, key);
        return { body: await readState(sql, key) };
      },
      async putProgress(call) {
        const { at, ...body } = call.body;
        const atMs = at === undefined ? undefined : Date.parse(at);
        return { body: await report(keyOf(call), { ...body, atMs }) };
      },
      markWatched: watched(true),
      unmarkWatched: watched(false),
      addFavourite: shelve('favourite', true),
      removeFavourite: shelve('favourite', false),
      addToWatchlist: shelve('watchlist', true),
      removeFromWatchlist: shelve('watchlist', false),
      listContinueWatching: (call) => listPage(deps, 'continue', userPage(call)),
      listFavourites: (call) => listPage(deps, 'favourite', userPage(call)),
      listWatchlist: (call) => listPage(deps, 'watchlist', userPage(call)),
      exportWatchlist: ({ principal, query }) =>
        exportWatchlist(deps, viewerOf(principal), query.format ?? 'json'),
    },
  };
}

interface ItemCall {
  readonly params: { readonly kind: string; readonly itemId: string };
  readonly principal: Principal | undefined;
}

function viewerOf(principal: Principal | undefined): Viewer {
  if (principal === undefined) throw problem('unauthenticated', 'This is somebody’s own');
  const { userId, libraries } = principal;
  return { userId, ...(libraries && { libraries }) };
}

const keyOf = ({ params, principal }: ItemCall): ViewedKey => ({
  ...viewerOf(principal),
  kind: params.kind,
  itemId: params.itemId,
});

const userPage = (call: {
  readonly principal: Principal | undefined;
  readonly query: { readonly limit?: number; readonly cursor?: string };
}) => ({
  viewer: viewerOf(call.principal),
  limit: call.query.limit ?? 50,
  cursor: call.query.cursor,
});

async function requireItem(deps: ProgressDeps, tx: Tx | ProgressDeps['sql'], key: ViewedKey) {
  const kind = deps.kinds.find((one) => one.kind === key.kind);
  if (kind === undefined || !(await kind.exists(tx, key.itemId, key))) {
    throw problem('not-found', `There is no ${key.kind} ${key.itemId}`);
  }
}

async function readState(sql: Tx | ProgressDeps['sql'], key: StateKey): Promise<UserStateView> {
  const states = await statesOf(sql, key.userId, { kind: key.kind, itemIds: [key.itemId] });
  return presentState(states.get(key.itemId) ?? noState);
}

async function changeState(
  deps: ProgressDeps,
  key: ViewedKey,
  save: (tx: Tx) => Promise<void>,
): Promise<UserStateView> {
  const { userId, kind, itemId } = key;
  return deps.write(async (tx, stale, tell) => {
    await requireItem(deps, tx, key);
    await save(tx);
    stale(`user-items:${userId}`);
    tell('progress.changed', { userId, kind, itemId }, { userId });
    return readState(tx, key);
  });
}
