/** How a newcomer asks to be let in, knowing nothing but an address and a token. */
import { Agent } from 'node:http';
import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { subjectOf } from '../trust/names.ts';
import { formatProof, isPinnedBy, type Token } from '../trust/tokens.ts';
import { parseAnswer } from './client.ts';
import { connectTo } from './dial.ts';
import { RpcError, throwWireError } from './errors.ts';
import { createPatience, readText, send } from './exchange.ts';
import type { TlsMaterial } from './types.ts';
import { HEADERS } from './wire.ts';

export interface JoinOptions {
  /** `host:port` of a member's RPC. */
  readonly address: string;
  readonly token: Token;
  readonly input: unknown;
  /** A certificate of before, even one that has ended: it shows who wants to have it renewed. */
  readonly shown?: Pick<TlsMaterial, 'cert' | 'key'> | undefined;
  readonly timeoutMs?: number;
  readonly connectMs?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface JoinAnswer {
  /** What the join handler there returned. */
  readonly answer: unknown;
  /** The member that answered, and its cluster, by its certificate. */
  readonly nodeId: string;
  readonly clusterId: string;
  /** The authority that the token names, PEM. */
  readonly authority: string;
}

const maxAnswerBytes = 4 * 1024 * 1024;
/** A chain is a leaf and its authority; more than this is none of ours. */
const maxChain = 4;

/**
 * Asks a member to be let in. A first connection only looks at the authority's certificate and says
 * nothing; if it is the one the token names, a second one trusts that and nothing else, and there
 * the secret is shown.
 * @throws RpcError also `wrong-authority`: what answers is not of the cluster that made the token
 */
export async function joinCluster(options: JoinOptions): Promise<JoinAnswer> {
  const { address, token, shown, connectMs = 5_000 } = options;
  const first = await open(address, {}, connectMs);
  const authority = pinnedIn(first, token);
  first.destroy();
  if (!authority) {
    const message = `${address} is not of the cluster that made this token: nothing was said to it`;
    throw new RpcError('wrong-authority', message, { isExecuted: 'no' });
  }
  const ca = authority.toString();
  const socket = await open(address, { ...shown, ca }, connectMs);
  const certificate = socket.getPeerX509Certificate();
  const subject = certificate && subjectOf(certificate);
  if (!subject) {
    socket.destroy();
    const message = `what answers at ${address} is no node of a cluster`;
    throw new RpcError('wrong-authority', message, { isExecuted: 'no' });
  }
  const answer = await ask(socket, options);
  return { answer, ...subject, authority: `${ca.trim()}\n` };
}

type Trusting = Partial<TlsMaterial>;

async function open(address: string, tls: Trusting, connectMs: number): Promise<TLSSocket> {
  try {
    return await connectTo(address, tls, connectMs);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new RpcError('unreachable', `${address} cannot be reached: ${reason}`, {
      ...{ isRetryable: true, isExecuted: 'no', cause: error },
    });
  }
}

function pinnedIn(socket: TLSSocket, token: Token): X509Certificate | undefined {
  let at = socket.getPeerX509Certificate();
  for (let depth = 0; at && depth < maxChain; depth += 1) {
    if (isPinnedBy(token, at)) return at;
    at = at.issuerCertificate;
  }
  return undefined;
}

async function ask(socket: TLSSocket, options: JoinOptions): Promise<unknown> {
  const { token, input, timeoutMs = 30_000, signal } = options;
  const body = Buffer.from(JSON.stringify(input) ?? 'null');
  const patience = createPatience(timeoutMs, signal);
  const agent = Object.assign(new Agent(), { createConnection: () => socket });
  try {
    const headers = {
      authorization: formatProof(token),
      'content-type': 'application/json',
      'content-length': body.length,
      [HEADERS.deadline]: String(patience.left()),
    };
    const where = { nodeId: options.address, method: 'POST', path: '/join' };
    const res = await send({ agent, ...where, headers, body, patience });
    const text = await readText(res, maxAnswerBytes, patience);
    if (res.statusCode !== 200) throwWireError(text, res.statusCode ?? 0);
    return parseAnswer(text);
  } finally {
    patience.stop();
    socket.destroy();
  }
}
