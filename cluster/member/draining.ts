import type { ClusterState } from '../state/state.ts';

/** Whether an operator has told this node to take no more work. */
export interface Draining {
  /** As far as this node's copy of the state is; false before that says anything. */
  isDraining(): boolean;
  /** Returns a function that stops it. */
  onDraining(listener: (isDraining: boolean) => void): () => void;
}

/** The flag is in the cluster's state, so that it outlives restarts of the node it is about. */
export function createDraining(
  { view, onChange }: Pick<ClusterState, 'view' | 'onChange'>,
  nodeId: string,
): Draining {
  const isDraining = () => view().members.get(nodeId)?.isDraining ?? false;
  const listeners = new Set<(isDraining: boolean) => void>();
  let last = isDraining();
  onChange(() => {
    const now = isDraining();
    if (now === last) return;
    last = now;
    for (const listener of listeners) listener(now);
  });
  return {
    isDraining,
    onDraining(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
