import type { StreamReply } from '#api/handler.ts';
import { ProblemError } from '#services/errors.ts';
import type { Principal } from '#services/principal.ts';
import type { Exchange } from './exchange.ts';
import type { Timers } from './timers.ts';

/** What a principal is by now; throws a ProblemError when its credential no longer holds. */
export type Recheck = (principal: Principal) => Promise<Principal>;

/** What looking after long answers takes. */
export interface RevokeDeps {
  readonly recheck: Recheck;
  readonly timers: Timers;
}

const everyMs = 15_000;

/**
 * Ends an answer that lasts once its caller's credential is void, or what it sends is no longer to
 * be had: a film takes hours to send, and who signed out, was deleted or disabled meanwhile shall
 * not have the rest of it, nor anybody the rest of a film whose library was deleted, or who may no
 * longer see that.
 */
export function endWhenRevoked(
  exchange: Exchange,
  reply: Pick<StreamReply, 'recheck'>,
  { recheck, timers }: RevokeDeps,
): void {
  const { principal, res } = exchange;
  if (principal === undefined || res.destroyed) return;
  const look = () =>
    recheck(principal)
      .then((present) => reply.recheck?.(present))
      .catch((error: unknown) => {
        // A database that is away stops nobody's film.
        if (!(error instanceof ProblemError) || error.status >= 500) return;
        exchange.abort(error);
        res.destroy();
      });
  const stop = timers.every(everyMs, () => void look());
  res.once('close', stop);
}
