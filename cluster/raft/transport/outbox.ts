import type { Socket } from 'node:net';

/** The longest that what nobody waits for is kept. */
const lazyMs = 5;
/** Up to here one write of a copy costs less than a write of many pieces. */
const maxCopied = 64 * 1024;

/** Requests on their way to one socket: those of a turn leave as one. */
export interface Outbox {
  /** Lazy: with the next that is not, or a few milliseconds later. */
  add(parts: readonly Uint8Array[], isLazy: boolean): void;
  bytes(): number;
  flush(): void;
  drop(): void;
}

export function createOutbox(socket: Socket): Outbox {
  let parts: Uint8Array[] = [];
  let bytes = 0;
  let isDue = false;
  let timer: NodeJS.Timeout | undefined;

  const drop = () => {
    clearTimeout(timer);
    timer = undefined;
    isDue = false;
    parts = [];
    bytes = 0;
  };
  const flush = () => {
    const [pieces, size] = [parts, bytes];
    drop();
    if (pieces.length === 0) return;
    if (size <= maxCopied) {
      socket.write(pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces, size));
      return;
    }
    socket.cork();
    for (const piece of pieces) socket.write(piece);
    socket.uncork();
  };
  return {
    drop,
    flush,
    bytes: () => bytes,
    add(added, isLazy) {
      for (const part of added) {
        parts.push(part);
        bytes += part.length;
      }
      if (isDue) return;
      if (isLazy) timer ??= setTimeout(flush, lazyMs);
      else {
        isDue = true;
        process.nextTick(flush);
      }
    },
  };
}
