import type { Watcher } from '#storage/media/watch.ts';
import type { Log } from '../log.ts';
import { receive, type ArrivalDeps } from './arrivals.ts';
import { allRoots } from './libraries-store.ts';
import type { Root } from './model.ts';
import { repeat } from './repeat.ts';
import { createSettling, type Settling } from './settling.ts';
import { requestScan } from './start.ts';
import { claimWatch, forgetWatches, giveUpWatch } from './watches-store.ts';

/** What watching works with. */
export interface WatchingDeps extends ArrivalDeps {
  readonly watcher: Watcher;
  readonly nodeId: string;
  readonly log: Log;
  /** Milliseconds of any clock that never goes back. */
  readonly clock: () => number;
  readonly timing?: Partial<WatchTiming>;
}

/** In milliseconds. */
export interface WatchTiming {
  /** A file that has not been written for so long is taken for whole. */
  readonly quietMs: number;
  /** Between looks at what has come to rest. */
  readonly tickMs: number;
  /** Between looks at which roots there are and who watches them. */
  readonly lookMs: number;
  /** How long another node takes a silent one for the watcher. */
  readonly leaseMs: number;
  /** After which a root whose events do not arrive is tried again. */
  readonly againMs: number;
}

const usual: WatchTiming = {
  ...{ quietMs: 3_000, tickMs: 1_000, lookMs: 15_000, leaseMs: 45_000, againMs: 600_000 },
};

/** Changes that wait to come to rest in one root; more are left to a scan. */
const pendingMax = 20_000;

interface Watched {
  readonly root: Root;
  readonly settling: Settling;
}

interface State {
  readonly deps: WatchingDeps;
  readonly timing: WatchTiming;
  readonly watched: Map<string, Watched>;
  /** Roots whose events do not arrive here, and when to try them again. */
  readonly resting: Map<string, number>;
  /** Libraries that changed in ways nobody noted. */
  readonly unsure: Set<string>;
  isOver: boolean;
}

/**
 * Hears of changes on local disks and has them looked at as soon as they have come to rest. Each
 * root is watched by one node, which says so again and again; when it falls silent another takes
 * over, and a scan finds what nobody heard. Where events do not arrive, scans notice changes.
 */
export function startWatching(deps: WatchingDeps): AsyncDisposable {
  const timing = { ...usual, ...deps.timing };
  const state: State = {
    ...{ deps, timing, watched: new Map(), resting: new Map(), unsure: new Set(), isOver: false },
  };
  const onFailure = (error: unknown) =>
    deps.log.warn('watching folders failed; it is tried again', { error: String(error) });
  const ticks = repeat(() => tellSettled(state), timing.tickMs, onFailure);
  const looks = repeat(() => look(state), timing.lookMs, onFailure);
  return {
    async [Symbol.asyncDispose]() {
      state.isOver = true;
      await Promise.all([ticks(), looks()]);
      const mine = [...state.watched.keys(), ...state.resting.keys()];
      for (const { root } of state.watched.values()) deps.watcher.unwatch(root.path);
      try {
        await deps.store.write((tx) => forgetWatches(tx, deps.nodeId, mine));
      } catch (error) {
        // The others find out by its silence.
        deps.log.warn('that this node watches no more could not be said', { error: String(error) });
      }
    },
  };
}

/** Watches what is to be watched here, and says so. */
async function look(state: State): Promise<void> {
  const { deps, timing, watched, resting } = state;
  const roots = await allRoots(deps.store.sql);
  const usable = roots.filter(({ unavailableSince }) => unavailableSince === null);
  const ids = new Set(usable.map(({ id }) => id));
  for (const [id, { root }] of [...watched]) {
    if (!ids.has(id)) leave(state, root);
  }
  for (const root of usable) {
    if (state.isOver) return;
    if ((resting.get(root.id) ?? 0) > deps.clock()) continue;
    const { id: rootId } = root;
    const isWatching = watched.has(rootId);
    const lease = { rootId, nodeId: deps.nodeId, lastsMs: timing.leaseMs, isWatching };
    const claim = await deps.store.write((tx) => claimWatch(tx, lease));
    if (claim === 'taken') leave(state, root);
    else if (!isWatching) begin(state, root, claim === 'anew');
  }
}

function leave({ watched, deps }: State, root: Root): void {
  if (watched.delete(root.id)) deps.watcher.unwatch(root.path);
}

function begin(state: State, root: Root, isAnew: boolean): void {
  const { deps, timing, watched, resting, unsure } = state;
  const { libraryId } = root;
  const settling = createSettling({
    ...{ quietMs: timing.quietMs, max: pendingMax },
    onFlood: () => unsure.add(libraryId),
  });
  watched.set(root.id, { root, settling });
  resting.delete(root.id);
  let isListening = false;
  deps.watcher.watch(root.path, {
    onListening() {
      isListening = true;
      deps.log.info('a folder is watched', { rootId: root.id });
      if (isAnew) unsure.add(libraryId);
    },
    onEvents(events) {
      if (events === undefined) unsure.add(libraryId);
      else settling.heard(events, deps.clock());
    },
    onEnd(reason) {
      watched.delete(root.id);
      if (state.isOver) return;
      if (isListening) unsure.add(libraryId);
      resting.set(root.id, deps.clock() + timing.againMs);
      void rest(state, root, reason);
    },
  });
}

/** Says that changes of a root are left to scans. */
async function rest({ deps, timing }: State, root: Root, reason: string): Promise<void> {
  const { id: rootId } = root;
  const { nodeId, log, store } = deps;
  log.info('changes in a folder are noticed by scans alone', { rootId, reason });
  try {
    const lastsMs = timing.againMs + timing.leaseMs;
    await store.write((tx) => giveUpWatch(tx, { rootId, nodeId, reason, lastsMs }));
  } catch (error) {
    log.warn('why a folder is not watched could not be noted', { error: String(error) });
  }
}

/** Has looked at what has come to rest. */
async function tellSettled({ deps, watched, unsure }: State): Promise<void> {
  for (const { root, settling } of [...watched.values()]) {
    const told = settling.ready(deps.clock());
    if (told.length === 0) continue;
    try {
      const reach = { libraryId: root.libraryId, mappings: [], guess: false };
      // What this machine's kernel tells of is there by now, or is not: it is not waited for.
      const seen = told.map(({ path }) => ({ path, isGone: true }));
      await receive(deps, seen, reach);
    } catch (error) {
      settling.heard(told, deps.clock());
      throw error;
    }
  }
  for (const libraryId of [...unsure]) {
    const request = { libraryId, mode: 'quick', requestedBy: undefined } as const;
    await deps.store.write((tx) => requestScan(tx, deps.jobs, request));
    unsure.delete(libraryId);
  }
}
