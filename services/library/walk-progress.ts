import type { WalkProgress } from './phase-2-identify.ts';

/** Lets phase 2 wait for what phase 1 saves. */
export function createWalkProgress(): WalkProgress & { saved(): void; end(): void } {
  let isOver = false;
  let hasMore = false;
  let wake = () => {};
  return {
    isOver: () => isOver,
    async moreSaved() {
      if (!hasMore && !isOver) await new Promise<void>((resolve) => (wake = resolve));
      hasMore = false;
    },
    saved() {
      hasMore = true;
      wake();
    },
    end() {
      isOver = true;
      wake();
    },
  };
}
