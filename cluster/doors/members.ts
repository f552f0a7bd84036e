import type { Socket } from 'node:net';
import type { Doorkeeper } from './doorkeeper.ts';

/** The open connections of each member. */
export interface Members {
  /** This connection is that member's from now on; false, and it is closed, if it has too many. */
  admit(socket: Socket, nodeId: string): boolean;
  size(): number;
}

interface MembersDeps {
  readonly doorkeeper: Doorkeeper;
  readonly perPeer: number;
  /** Told each time, which a member may bring about as often as it likes. */
  readonly onTooMany: (nodeId: string) => void;
}

export function createMembers({ doorkeeper, perPeer, onTooMany }: MembersDeps): Members {
  const admitted = new WeakSet<Socket>();
  const open = new Map<string, Set<Socket>>();
  return {
    admit(socket, nodeId) {
      if (admitted.has(socket)) return true;
      const mine = open.get(nodeId) ?? new Set();
      if (mine.size >= perPeer) {
        onTooMany(nodeId);
        socket.destroy();
        return false;
      }
      doorkeeper.admit(socket);
      admitted.add(socket);
      open.set(nodeId, mine.add(socket));
      socket.once('close', () => {
        mine.delete(socket);
        if (mine.size === 0 && open.get(nodeId) === mine) open.delete(nodeId);
      });
      return true;
    },
    size: () => [...open.values()].reduce((sum, { size }) => sum + size, 0),
  };
}
