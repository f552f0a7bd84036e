import type { Transport, Upgrader } from '@libp2p/interface';

type MakeTransport<Components> = (components: Components) => Transport;

/** Told of each connection that was not let in, by whichever limit or check: from where, and why. */
export type OnTurnedAway = (from: string, reason: string) => void;

/**
 * A transport that tells whom its listeners turn away. libp2p itself says so to its debug log only,
 * and an operator who sees no node come in wants to know that one has knocked.
 */
export const telling =
  <Components>(make: MakeTransport<Components>, onTurnedAway: OnTurnedAway) =>
  (components: Components): Transport => {
    const transport = make(components);
    const createListener = transport.createListener.bind(transport);
    transport.createListener = (options) =>
      createListener({ ...options, upgrader: tellingUpgrader(options.upgrader, onTurnedAway) });
    return transport;
  };

const tellingUpgrader = (upgrader: Upgrader, onTurnedAway: OnTurnedAway): Upgrader => ({
  async upgradeInbound(socket, options) {
    try {
      await upgrader.upgradeInbound(socket, options);
    } catch (error) {
      onTurnedAway(socket.remoteAddr.nodeAddress().address, reasonOf(error));
      throw error;
    }
  },
  upgradeOutbound: (socket, options) => upgrader.upgradeOutbound(socket, options),
  createInboundAbortSignal: (signal) => upgrader.createInboundAbortSignal(signal),
  getStreamMuxers: () => upgrader.getStreamMuxers(),
  getConnectionEncrypters: () => upgrader.getConnectionEncrypters(),
});

const reasons: Readonly<Record<string, string>> = {
  ConnectionDeniedError: 'too many come at once',
  ConnectionInterceptedError: 'it is no member, or has too many connections',
};

/** libp2p tells its errors apart by their names. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return reasons[error.name] ?? error.message;
}
