import { setTimeout as sleep } from 'node:timers/promises';
import { fromWithin } from './addresses.ts';
import { makeGossipIdentity } from './identity.ts';
import type { Network, NetworkOptions, OpenNetwork } from './network.ts';

/** Only ever spoken between a node and its own probe. */
export const PROOF_TOPIC = 'proof';
const STEP_MS = 25;

export interface Proof {
  /** Whether this is the probe: to be let in like a member. */
  readonly isProbe: (gossipId: string) => boolean;
  /** Tells of a message that came on the proof's topic. */
  readonly heard: (author: string) => void;
  /** @throws Error saying what did not work. */
  readonly run: (network: Network) => Promise<void>;
}

export interface ProofOptions extends Pick<NetworkOptions, 'key'> {
  readonly open: OpenNetwork;
  readonly host: string;
  readonly timeoutMs: number;
}

/**
 * Shows that messages pass both ways, through a second peer in this process that lives only so long
 * and listens on nothing: packages that do not fit each other connect well and deliver nothing.
 */
export function createProof({ open, key, host, timeoutMs }: ProofOptions): Proof {
  let probeId: string | undefined;
  let isHeard = false;

  async function pass(network: Network): Promise<void> {
    let hasProbeHeard = false;
    const probe = await open({
      key,
      identity: await makeGossipIdentity(),
      listen: undefined,
      topics: [PROOF_TOPIC],
      mayConnect: (id) => id === network.id,
      onTurnedAway: () => undefined,
      judge: ({ author }) => author === network.id,
      onMessage: () => (hasProbeHeard = true),
      onOpen: () => undefined,
      onClose: () => undefined,
    });
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      probeId = probe.id;
      await probe.dial(network.id, { host: fromWithin(host), port: network.port ?? 0 }, signal);
      while (!(isHeard && hasProbeHeard)) {
        if (signal.aborted) throw new Error('connected, but messages do not arrive');
        await probe.publish(PROOF_TOPIC, Uint8Array.of(1));
        await network.publish(PROOF_TOPIC, Uint8Array.of(2));
        await sleep(STEP_MS);
      }
    } finally {
      probeId = undefined;
      await probe.close();
      network.cut(probe.id);
    }
  }

  return {
    isProbe: (gossipId) => gossipId === probeId,
    heard: (author) => {
      if (author === probeId) isHeard = true;
    },
    run: pass,
  };
}
