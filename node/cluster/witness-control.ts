import { problem } from '#services/errors.ts';
import type { Witness } from '#cluster/member/witness.ts';
import type { ClusterControl } from './control.ts';
import { recordHistory } from './history.ts';
import { readStatus } from './status.ts';

export interface WitnessControlDeps {
  readonly witness: Witness;
  readonly nodeId: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * What an operator sees of the cluster from a witness. It changes nothing: it has no database in
 * which to look up who may, and nodes do not take its word for it.
 */
export function createWitnessControl({ witness, nodeId, now }: WitnessControlDeps): ClusterControl {
  const { state, consensus } = witness;
  const events = recordHistory(witness, now);
  const status = () => readStatus(witness, { nodeId, now, databaseNote: () => undefined });
  const refuse = async (): Promise<never> => {
    throw problem('conflict', 'This is a witness, which changes nothing: ask a node');
  };
  return {
    ...{ status, events },
    tokens: async () => [],
    autopilot: async () => state.view().autopilot,
    snapshot: () => consensus.snapshot(),
    ...{ init: refuse, createToken: refuse, revokeToken: refuse, plan: refuse, change: refuse },
    ...{ transfer: refuse, setDraining: refuse, setAutopilot: refuse },
  };
}
