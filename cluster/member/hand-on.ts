import { createLook, type AutopilotDeps } from './autopilot.ts';

export interface HandOnDeps extends AutopilotDeps {
  /** Called once it knows all that was committed before its term. */
  readonly onSettled: (term: number) => void;
}

const everyMs = 100;

/**
 * What a witness does with leadership: it has no database and serves nothing, so it leads only
 * until a node has all that was committed, and hands on to it. It takes no office meanwhile, and
 * changes no members. It must be able to lead for that long: when it alone has what a dead leader
 * and it had agreed on, nobody else can be elected.
 *
 * Rejects when leadership is over.
 */
export function createHandOn(deps: HandOnDeps) {
  const { consensus, log, pause, onSettled } = deps;
  return async (term: number, signal: AbortSignal): Promise<never> => {
    const look = createLook(deps);
    await consensus.barrier();
    onSettled(term);
    for (;;) {
      signal.throwIfAborted();
      const { decision } = await look();
      const transfer = decision.actions.find(({ kind }) => kind === 'transfer');
      if (transfer) {
        log.info('a witness does not lead: hands leadership on', { to: transfer.id, term });
        await consensus.transfer(transfer.id).catch((error: unknown) => {
          log.warn('leadership could not be handed on; it is tried again', {
            error: String(error),
          });
        });
      }
      await pause(everyMs, signal);
    }
  };
}
