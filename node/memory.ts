import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Log } from '#services/log.ts';

/** What giving memory back needs to know, and to do. */
export interface MemoryDeps {
  /** Bytes the process holds. */
  readonly resident: () => number;
  /** Milliseconds of CPU the process has used since its start. */
  readonly cpuMs: () => number;
  /** A full collection that gives free pages back. */
  readonly collect: () => void;
  /** Bytes below which nobody misses the memory; a node's unless told otherwise. */
  readonly worthBytes?: number | undefined;
  readonly log: Log;
}

export const lookEveryMs = 30_000;
const nodeWorthBytes = 160 * 2 ** 20;
/** Of one core, averaged since the last look: hardly anybody can meet the pause of 0.2 s then. */
const restShare = 0.05;
const growth = 1.25;

/**
 * Looks whether the node is at rest with more memory than it needs, and has it collected. V8 by
 * itself keeps what a scan or a new search index grew to until there is work again, and a home
 * server rests for most of the day. Call every `lookEveryMs`.
 */
export function createMemoryKeeper(deps: MemoryDeps): () => void {
  const { resident, cpuMs, collect, log, worthBytes = nodeWorthBytes } = deps;
  let usedMs = cpuMs();
  let enough = 0;
  return () => {
    const before = usedMs;
    usedMs = cpuMs();
    const isResting = usedMs - before < restShare * lookEveryMs;
    const held = resident();
    if (!isResting || held < worthBytes || held < enough * growth) return;
    collect();
    usedMs = cpuMs();
    enough = resident();
    log.debug('memory given back', { heldBytes: held, keptBytes: enough });
  };
}

/** Keeps the memory of this process, from now until what it returns is called. */
export function keepMemory(log: Log, worthBytes?: number): () => void {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as NodeJS.GCFunction;
  const look = createMemoryKeeper({
    resident: () => process.memoryUsage.rss(),
    cpuMs: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1_000;
    },
    collect: () => gc({ type: 'major', execution: 'sync', flavor: 'last-resort' }),
    ...{ log, worthBytes },
  });
  const timer = setInterval(look, lookEveryMs).unref();
  return () => clearInterval(timer);
}
