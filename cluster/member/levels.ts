import type { Log } from '../raft/driver/ports.ts';
import type { View } from '../state/types.ts';
import { checkDone } from './announce.ts';
import type { Consensus } from './consensus.ts';
import type { Duty } from './duties.ts';
import type { Pause } from './pause.ts';

export interface LevelDeps {
  readonly consensus: Pick<Consensus, 'propose'>;
  readonly view: () => View;
  readonly log: Log;
  readonly pause: Pause;
  /** Milliseconds, of a clock that never goes back. */
  readonly elapsed: () => number;
  /** How long all members must have known a level, in milliseconds. */
  readonly raiseAfterMs: number;
}

const everyMs = 1_000;

/** The highest level that every member knows. */
const levelOfAll = ({ members }: Pick<View, 'members'>): number =>
  Math.min(...[...members.values()].map(({ features }) => features.max));

/**
 * Brings the cluster to the highest feature level that all its members know, once they have known
 * it for a while: from then on none of them can go back to the release before. An update that turns
 * out badly is taken back before that, and `cluster.feature_level` holds it off for longer.
 */
export const levelDuty = (deps: LevelDeps): Duty => ({
  name: 'raise the feature level',
  async run({ fence, signal }) {
    const { consensus, view, log, pause, elapsed, raiseAfterMs } = deps;
    let seen = { level: view().featureLevel, at: elapsed() };
    while (!signal.aborted) {
      const level = levelOfAll(view());
      if (level !== seen.level) seen = { level, at: elapsed() };
      if (level > view().featureLevel && elapsed() - seen.at >= raiseAfterMs) {
        checkDone(await consensus.propose({ type: 'raiseFeatures', level }, fence.term));
        log.info('all members know what is new: the feature level is raised', { level });
      }
      await pause(everyMs, signal);
    }
  },
});
