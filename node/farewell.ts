import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '#services/log.ts';
import type { Engines } from './engines.ts';

const handOverMs = 2_000;
/** Balancers ask for readiness about once a second, and others send on until they have. */
const farewellMs = 1_500;

/**
 * In a cluster: a leader that stops names its successor, for an election would cost everybody
 * seconds; then requests are taken for a while longer, each on a connection that ends with it.
 */
export async function sayFarewell({ member }: Engines, log: Log): Promise<void> {
  if (member.state.view().members.size < 2) return;
  const farewell = pause(farewellMs);
  if (member.offices.current()) {
    try {
      // Raft's own choice knows nothing of who is drained.
      const successor = member.autopilot.successor();
      await Promise.race([member.consensus.transfer(successor), pause(handOverMs)]);
    } catch (error) {
      const reason = String(error);
      log.warn('leadership could not be handed over; the others will elect', { reason });
    }
  }
  await farewell;
}
