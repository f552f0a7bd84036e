import type { Command } from './types.ts';

/**
 * The feature levels that this version works with. A cluster is at one level, the same on all its
 * nodes; what a level brings may stand in the log only from that level on, since nodes of the
 * release before could not read it.
 *
 *   1  as it began
 *   2  live events in the log; snapshots without leases; a minute's grace for join tokens
 *
 * `max` goes up by one with the first thing of a release that the release before does not know;
 * `min` follows when that release is no longer to be updated from.
 */
export const features = { min: 1, max: 2 } as const;

/** Levels from which on a command may be proposed, as every member can read it. */
export const levels = { events: 2 } as const;

/** Kinds of commands that came later, with the level that brought them. */
const since: Partial<Record<Command['type'], number>> = { events: levels.events };

/** The level that a cluster must be at before this command may stand in its log. */
export const levelOf = ({ type }: Command): number => since[type] ?? 0;
