/** Which node is asked now; pictures and films follow it. */
function createNodeState() {
  let origin = $state(location.origin);
  let moves = $state(0);
  return {
    get origin() {
      return origin;
    },
    /** How often another node had to be taken. */
    get moves() {
      return moves;
    },
    movedTo(next: string) {
      origin = next;
      moves += 1;
    },
  };
}

export const nodeState = createNodeState();
