import type { Driver } from '../raft/driver/driver.ts';
import type { ClusterState } from '../state/state.ts';
import type { Consensus } from './consensus.ts';

/**
 * Lets Raft hear nobody who was removed: a certificate is good for a year, and a term that is only
 * said by its owner would take the office from a leader that is well. An id is never used again.
 */
export function shutOutRemoved(
  state: Pick<ClusterState, 'view' | 'onChange'>,
  consensus: Pick<Consensus, 'onOpened'>,
): void {
  let driver: Driver | undefined;
  let told: ReadonlySet<string> | undefined;
  const tell = () => {
    const { retired } = state.view();
    if (!driver || retired === told) return;
    told = retired;
    driver.refuse([...retired]);
  };
  consensus.onOpened((opened) => {
    driver = opened;
    told = undefined;
    tell();
  });
  state.onChange(tell);
}
