import type { Offices } from '#cluster/member/office.ts';
import { RpcError, type RpcClient } from '#cluster/rpc/index.ts';
import { problem } from '#services/errors.ts';
import { asLeader } from './fence.ts';
import type { LeaderPort } from './http/leader.ts';

export interface LeaderDeps {
  readonly offices: Offices;
  /** Undefined while this node is alone. */
  readonly client: () => RpcClient | undefined;
  readonly operatorPass: () => string;
}

const misdirected = 421;

/** Who carries out what only the leader may, for HTTP. */
export function createLeaderPort({ offices, client, operatorPass }: LeaderDeps): LeaderPort {
  return {
    async find(timeoutMs) {
      const seat = await offices.find(timeoutMs);
      if (!seat || 'leader' in seat) return seat;
      return { here: (work) => asLeader(seat.here.fence, work) };
    },
    async send(leader, request) {
      // A leader that hangs, or is cut off, says nothing; that another one is looked for says it.
      const watch = watchLeader(offices, leader);
      try {
        const { isOperator, headers } = request;
        const proof = isOperator ? { authorization: `Bearer ${operatorPass()}` } : {};
        const signal = AbortSignal.any([request.signal, watch.lost]);
        const handing = { ...request, signal, headers: { ...headers, ...proof } };
        const answer = await client()?.handOn(leader, handing);
        if (answer?.status !== misdirected) return answer;
        answer.body.destroy();
        return undefined;
      } catch (error) {
        if (!(error instanceof RpcError)) throw error;
        if (error.code === 'unreachable') return 'unreached';
        // Under a key it is carried out once however often it is asked for.
        const mayAskAgain = request.headers['idempotency-key'] !== undefined;
        if (error.isExecuted === 'no' || mayAskAgain) return undefined;
        const detail = 'The leader was lost before it answered; it may have carried this out';
        throw problem('outcome-unknown', detail, { retryAfterSeconds: 1, cause: error });
      } finally {
        watch.stop();
      }
    },
  };
}

/** A leader that lives has answered by then, be it only that it leads no more. */
const lastWordMs = 500;

/** Aborts when that node is not known to lead any more, and does not answer either. */
function watchLeader(offices: Offices, leader: string): { lost: AbortSignal; stop(): void } {
  const lost = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const spare = () => {
    clearTimeout(timer);
    timer = undefined;
  };
  const look = async () => {
    timer ??= setTimeout(() => lost.abort(new Error('it leads no more')), lastWordMs);
    // Where this node's Raft does not run the others are asked, which takes a moment.
    const seat = await offices.find(lastWordMs);
    if (seat !== undefined && 'leader' in seat && seat.leader === leader) spare();
  };
  const stopListening = offices.onChange(() => void look());
  const stop = () => {
    stopListening();
    spare();
  };
  return { lost: lost.signal, stop };
}
