import type { Offices } from '#cluster/member/office.ts';
import { asLeader } from './fence.ts';
import type { LeaderPort } from './http/leader.ts';

/** Who carries out what only the leader may, for HTTP. */
export function createLeaderPort(offices: Offices, send: LeaderPort['send']): LeaderPort {
  return {
    send,
    async find(timeoutMs) {
      const seat = await offices.find(timeoutMs);
      if (!seat || 'leader' in seat) return seat;
      return { here: (work) => asLeader(seat.here.fence, work) };
    },
  };
}
