import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';

export interface Log {
  info(message: string, facts?: Record<string, unknown>): void;
  warn(message: string, facts?: Record<string, unknown>): void;
}

/** PEM. */
export interface TlsMaterial {
  /** The authorities that are trusted; during a rotation two. */
  readonly ca: string;
  /** The node's certificate, and the one that signed it: newcomers know only that one. */
  readonly cert: string;
  readonly key: string;
}

export interface CallContext {
  /** The id in the caller's certificate. */
  readonly from: string;
  /** Aborts when the caller is gone or the deadline over: nobody hears the answer any more. */
  readonly signal: AbortSignal;
  /** Milliseconds since 1970, by this node's clock. */
  readonly deadline: number;
}

/**
 * Data in, data out, as JSON. `CallError` says on purpose why it was not done; any other error is
 * logged here, and the caller hears only that the call failed.
 */
export type Call = (input: unknown, context: CallContext) => Promise<unknown>;

export interface JoinContext {
  /** Of the token that was shown; whether there is such a one is the handler's to say. */
  readonly tokenId: string;
  readonly secretHash: string;
  /** The id in a certificate that was shown and is ours, even if it has ended: to renew it. */
  readonly formerly: string | undefined;
  /** Where it called from, for the log. */
  readonly remote: string | undefined;
  readonly signal: AbortSignal;
  readonly deadline: number;
}

export type Join = (input: unknown, context: JoinContext) => Promise<unknown>;

/** What a node says of a request that it hands on. */
export interface HandedOn {
  /** The id in its certificate. */
  readonly from: string;
  readonly requestId: string;
  /** Where the client called from, as that node saw it. */
  readonly clientAddress: string | undefined;
}

export interface RpcLimits {
  /** Of a call's input, and of its answer. */
  readonly maxBodyBytes: number;
  /** At once, from one peer: more are answered `busy`. */
  readonly callsPerPeer: number;
  readonly handedOnPerPeer: number;
  readonly connectionsPerPeer: number;
  readonly joins: number;
  /** Connections of nobody we know yet; one more drops the oldest of whoever has most. */
  readonly strangers: number;
  /** From the connection to the end of the first request's headers. */
  readonly greetingMs: number;
  /** How long a stranger may stay who asks to join. */
  readonly joinMs: number;
  /** Without a request, a connection is closed. */
  readonly idleMs: number;
  /** Without a deadline of the caller's; and the longest one. */
  readonly callMs: number;
  readonly maxCallMs: number;
  /** For what runs when the server closes. */
  readonly closeMs: number;
}

export const DEFAULT_RPC_LIMITS: RpcLimits = {
  maxBodyBytes: 4 * 1024 * 1024,
  callsPerPeer: 64,
  handedOnPerPeer: 256,
  connectionsPerPeer: 512,
  joins: 4,
  strangers: 256,
  greetingMs: 5_000,
  joinMs: 30_000,
  idleMs: 60_000,
  callMs: 30_000,
  maxCallMs: 600_000,
  closeMs: 2_000,
};

export interface RpcServerOptions {
  /** Read at the start and at `reloadTls`. */
  readonly tls: () => TlsMaterial;
  /** Port 0 takes a free one. */
  readonly listen: { readonly host: string; readonly port: number };
  readonly clusterId: string;
  /** Asked at each request, so that who is removed is refused at once. */
  readonly isMember: (nodeId: string) => boolean;
  /** Of who is no member: it was one, and never will be again. Absent: nobody is known to be. */
  readonly isRemoved?: (nodeId: string) => boolean;
  readonly calls: Readonly<Record<string, Call>>;
  /**
   * Runs a request that another node handed on, and answers it. It must not be handed on again; the
   * id has not been seen before.
   */
  readonly onHandedOn?: (req: IncomingMessage, res: ServerResponse, handed: HandedOn) => void;
  /** Absent: nobody joins here. */
  readonly join?: Join;
  readonly log: Log;
  readonly limits?: Partial<RpcLimits>;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

export interface RpcServerStats {
  /** Connections of members, and of nobody we know. */
  readonly members: number;
  readonly strangers: number;
  readonly calls: number;
  readonly handedOn: number;
  /** Since the start: answered, refused by code, and connections of strangers that were dropped. */
  readonly answered: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly dropped: number;
}

export interface RpcServer {
  readonly port: number;
  /**
   * New connections get the new certificate; the others end, each once it is idle.
   * @throws for one that is no good, and keeps the old
   */
  reloadTls(): void;
  stats(): RpcServerStats;
  /** Takes no more, lets what runs go on for `closeMs`, then ends it. */
  close(): Promise<void>;
}

export interface RpcClientOptions {
  readonly tls: () => TlsMaterial;
  readonly clusterId: string;
  /** Where the node may be, `host:port`, the likeliest first. */
  readonly candidates: (nodeId: string) => readonly string[];
  /** From the first byte to a verified certificate, for one address. */
  readonly connectMs?: number;
  /** For a call that names no other. */
  readonly timeoutMs?: number;
  /** Calls at once to one node, and streams; further ones wait. */
  readonly callsAtOnce?: number;
  readonly streamsAtOnce?: number;
  readonly maxBodyBytes?: number;
  /** Without a byte for so long, an answer to what was handed on is given up. */
  readonly silenceMs?: number;
  /** An id for each request that is handed on, that nobody else draws. */
  readonly randomId: () => string;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
}

/** A client's request, to be run by another node as if the client had asked there. */
export interface Handing {
  readonly method: string;
  /** With its query, beginning with `/`. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Absent for a request without one, whatever its headers say. */
  readonly body?: Readable | Uint8Array | undefined;
  /** How often it has been handed on already: at 1 it is not done again. */
  readonly hops?: number | undefined;
  readonly clientAddress?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Until the answer's headers; the rest may take as long as it takes. */
  readonly timeoutMs?: number | undefined;
}

export interface HandedAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** To be read to its end or destroyed; it fails when the other node does not finish it. */
  readonly body: Readable;
}

export interface RpcClientStats {
  readonly calls: number;
  readonly streams: number;
  /** Connections that wait to be used again. */
  readonly idle: number;
  /** Connections asked for since the start. */
  readonly dials: number;
}

export interface RpcClient {
  /** The answer of `calls[name]` there; null for none. @throws RpcError */
  call(nodeId: string, name: string, input?: unknown, options?: CallOptions): Promise<unknown>;
  /** @throws RpcError */
  handOn(nodeId: string, handing: Handing): Promise<HandedAnswer>;
  /** New connections show the new certificate; those that are idle end. */
  reloadTls(): void;
  stats(): RpcClientStats;
  /** Ends all that is under way. */
  close(): void;
}
