import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { readAddress } from '../../addresses.ts';
import { SendError, type Secured } from './types.ts';

/** By which our own nodes know each other in a TLS handshake (ALPN, RFC 7301). */
export const OUR_PROTOCOL = 'revenge-raft/1';

export interface Dialed {
  readonly socket: Socket;
  /** Once it is open: whether the other has shown that it is a Revenge node. */
  readonly isOurs: () => boolean;
  /** Called once the peer has taken the connection and, with TLS, shown who it is. */
  readonly onOpen: (then: () => void) => void;
}

/** Opens a connection. @throws SendError for an address that is none. */
export function dial(address: string, tls: Secured | undefined, to: string): Dialed {
  const place = readAddress(address);
  if (!place) throw new SendError('unreachable', `'${address}' is no address`);
  const { host, port } = place;
  if (!tls) {
    const socket = connectTcp({ host, port, noDelay: true, keepAlive: true });
    return {
      socket,
      isOurs: () => false,
      onOpen: (then) => void socket.once('connect', then),
    };
  }
  const { context: secureContext, verifyPeer } = tls;
  // Certificates name servers, not the addresses they move between: verifyPeer compares, not TLS.
  const checkServerIdentity = () => undefined;
  const secure = connectTls({
    ...{ host, port, secureContext, checkServerIdentity },
    ALPNProtocols: [OUR_PROTOCOL],
  });
  secure.setNoDelay(true).setKeepAlive(true);
  return {
    socket: secure,
    isOurs: () => secure.alpnProtocol === OUR_PROTOCOL,
    onOpen: (then) =>
      void secure.once('secureConnect', () => {
        if (!verifyPeer || verifyPeer(to, secure.getPeerCertificate())) then();
        else secure.destroy(new Error(`the certificate does not speak for ${to}`));
      }),
  };
}
