/** Which node is asked now, as pictures and films follow it, and whether any answers. */
function createNodeState() {
  let origin = $state(location.origin);
  let moves = $state(0);
  let isSilent = $state(false);
  let returns = $state(0);
  /** Who answered last; to ask another one in vain is no move. */
  let heard = location.origin;
  return {
    get origin() {
      return origin;
    },
    /** How often another node has taken over. */
    get moves() {
      return moves;
    },
    /** No node answers. */
    get isSilent() {
      return isSilent;
    },
    /** How often one answered again after none had. */
    get returns() {
      return returns;
    },
    movedTo(next: string) {
      origin = next;
    },
    answered(by: string) {
      if (by === heard) return;
      heard = by;
      moves += 1;
    },
    fellSilent(now: boolean) {
      isSilent = now;
      if (!now) returns += 1;
    },
  };
}

export const nodeState = createNodeState();
