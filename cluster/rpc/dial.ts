import { connect, type TLSSocket } from 'node:tls';
import { readAddress } from '../addresses.ts';
import { subjectOf } from '../trust/names.ts';
import { RpcError } from './errors.ts';
import { createLine } from './line.ts';
import type { RpcClientOptions, TlsMaterial } from './types.ts';

const keepAliveMs = 15_000;
/** Handshakes with one node: many calls at once would make each other late. */
const dialsAtOnce = 4;
/** An address that has not answered by then may be one where nobody is: the next is tried too. */
const staggerMs = 250;

/** Opens connections to nodes, wherever they are. */
export interface Dialer {
  /**
   * A connection to that node and no other: its addresses are tried in turn, the next one as soon
   * as one has failed, or is slow (as RFC 8305 has it).
   * @throws RpcError `unreachable`, with what each address said
   */
  dial(nodeId: string): Promise<TLSSocket>;
}

export interface DialerDeps extends Pick<RpcClientOptions, 'clusterId' | 'candidates' | 'tls'> {
  readonly connectMs: number;
}

export function createDialer(deps: DialerDeps): Dialer {
  const { candidates } = deps;
  const inLine = createLine(dialsAtOnce);
  /** Where a node was last. */
  const found = new Map<string, string>();

  async function dial(nodeId: string): Promise<TLSSocket> {
    const reasons: string[] = [];
    const known = found.get(nodeId);
    const all = candidates(nodeId);
    const inTurn = known !== undefined && all.includes(known) ? [known, ...all] : all;
    const first = await firstOf([...new Set(inTurn)], async (address) => {
      try {
        const socket = await connectTo(address, deps.tls(), deps.connectMs);
        checkIsNode(socket, { clusterId: deps.clusterId, nodeId });
        return { socket, address };
      } catch (error) {
        reasons.push(`${address}: ${error instanceof Error ? error.message : String(error)}`);
        return undefined;
      }
    });
    if (first) {
      found.set(nodeId, first.address);
      return first.socket;
    }
    found.delete(nodeId);
    const why = reasons.join('; ') || 'no address of it is known';
    throw new RpcError('unreachable', `the node ${nodeId} cannot be reached: ${why}`, {
      ...{ isRetryable: true, isExecuted: 'no' },
    });
  }

  return { dial: (nodeId) => inLine(nodeId, () => dial(nodeId)) };
}

interface Reached {
  readonly socket: TLSSocket;
  readonly address: string;
}

/** The first that is reached; the others are let go. Undefined when none is. */
function firstOf(
  addresses: readonly string[],
  reach: (address: string) => Promise<Reached | undefined>,
): Promise<Reached | undefined> {
  return new Promise((resolve) => {
    let next = 0;
    let underWay = 0;
    let isOver = false;
    let timer: NodeJS.Timeout | undefined;
    const end = (reached: Reached | undefined) => {
      isOver = true;
      clearTimeout(timer);
      resolve(reached);
    };
    const heard = (reached: Reached | undefined) => {
      underWay -= 1;
      if (isOver) reached?.socket.destroy();
      else if (reached) end(reached);
      else tryNext();
    };
    const tryNext = () => {
      clearTimeout(timer);
      if (isOver) return;
      const address = addresses[next];
      if (address === undefined) return underWay === 0 ? end(undefined) : undefined;
      next += 1;
      underWay += 1;
      timer = setTimeout(tryNext, staggerMs);
      reach(address).then(heard, () => heard(undefined));
    };
    tryNext();
  });
}

/** Addresses are not identity: another node may live there by now, and that is no fault. */
function checkIsNode(socket: TLSSocket, wanted: { clusterId: string; nodeId: string }): void {
  const certificate = socket.getPeerX509Certificate();
  const subject = certificate && subjectOf(certificate);
  if (subject?.clusterId === wanted.clusterId && subject.nodeId === wanted.nodeId) return;
  socket.destroy();
  if (!subject) throw new Error('what answers there is no node of a cluster');
  const whose =
    subject.clusterId === wanted.clusterId ? '' : ` of the cluster ${subject.clusterId}`;
  throw new Error(`the node ${subject.nodeId}${whose} answers there`);
}

/**
 * A connection whose other side has shown a certificate of the authorities in `ca`, or any at all
 * when that is undefined. Its names are not looked at. @throws Error that says why not
 */
export function connectTo(
  address: string,
  { ca, cert, key }: Partial<TlsMaterial>,
  timeoutMs: number,
): Promise<TLSSocket> {
  const place = readAddress(address);
  if (!place) throw new Error('this is no address');
  return new Promise((resolve, reject) => {
    const socket = connect({
      ...{ ...place, minVersion: 'TLSv1.3', rejectUnauthorized: ca !== undefined },
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && key !== undefined && { cert, key }),
      checkServerIdentity: () => undefined,
    });
    socket.setNoDelay(true).setKeepAlive(true, keepAliveMs);
    let isOver = false;
    const fail = (error: Error) => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      socket.destroy();
      reject(explained(error));
    };
    // A process that was busy looks at what came meanwhile before it gives up.
    const giveUp = () => fail(new Error(`no answer within ${timeoutMs} ms`));
    const timer = setTimeout(() => setImmediate(giveUp), timeoutMs);
    // For good: every error ends the connection, and whoever uses it by then hears of its end.
    socket.on('error', fail).once('close', () => fail(new Error('it hung up')));
    socket.once('secureConnect', () => {
      isOver = true;
      clearTimeout(timer);
      resolve(socket);
    });
  });
}

const explanations: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has ended, or the clock of this machine is wrong',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet: compare the clocks of both machines',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is of another authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is of another authority',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is of another authority',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is of another authority',
  CERT_SIGNATURE_FAILURE: 'its certificate is of another authority',
  EPROTO: 'it does not speak TLS 1.3',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS',
};

function explained(error: Error): Error {
  const explanation = explanations[(error as NodeJS.ErrnoException).code ?? ''];
  return explanation === undefined ? error : new Error(explanation, { cause: error });
}
