import type { Socket } from 'node:net';
import type { PeerCertificate, SecureContext } from 'node:tls';
import type {
  FailureReason,
  InstallRequest,
  PeerRef,
  Request,
  Response,
  ServerId,
} from '../core/types.ts';
import type { QuietLog } from '#storage/quiet.ts';
import type { Rest } from '../wire/resume.ts';

export type Bytes = AsyncIterable<Uint8Array>;

export interface Log {
  info(message: string, facts?: Record<string, unknown>): void;
  warn(message: string, facts?: Record<string, unknown>): void;
  error(message: string, facts?: Record<string, unknown>): void;
}

/** Why a request got no answer; see `FailureReason` for what each reason promises. */
export class SendError extends Error {
  override readonly name = 'SendError';
  readonly reason: FailureReason;

  constructor(reason: FailureReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

export interface Outgoing {
  readonly to: ServerId;
  /** Where it is dialed, unless the book knows better. */
  readonly address: string;
  readonly request: Request;
  /** Of an install; closed when it is over, whatever became of it. */
  readonly source?: SnapshotSource;
}

export interface SnapshotSource {
  readonly size: number;
  /** CRC-32 of the whole. */
  readonly crc: number;
  /** The bytes from there to the end; called at most once. */
  read(from: number): Bytes;
  close(): Promise<void>;
}

/**
 * `body` is the stream of an install; what the handler leaves unread is drained. With `rest` it is
 * the rest of a snapshot of which the beginning was kept, and `request.size` that of the whole.
 */
export type RequestHandler = (
  request: Request,
  body: Bytes | undefined,
  rest: Rest | undefined,
) => Promise<Response>;

/** How many bytes of this snapshot are kept from a stream that broke off. */
export type KeptOf = (request: InstallRequest, crc: number) => Promise<number>;

/** Where servers may be found: `host:port` each, likeliest first. */
export type AddressBook = Readonly<Record<ServerId, readonly string[]>>;

export interface TlsOptions {
  /** PEM. Both sides show a certificate that this authority signed; names in it are not compared. */
  readonly ca: string | Buffer;
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  /** Whether this certificate may speak as this server; an id is absent before hashicorp 1.3.7. */
  readonly verifyPeer?: (id: ServerId | undefined, certificate: PeerCertificate) => boolean;
}

export interface Timeouts {
  readonly connectMs: number;
  /** A heartbeat's answer; short, for a half-open connection hides a peer that is back. */
  readonly heartbeatMs: number;
  /** Any other answer; also how long a stream may stand still. */
  readonly requestMs: number;
  /** From a frame's first byte to its last. */
  readonly frameMs: number;
  /** A connection without traffic is given up by the side that opened it. */
  readonly idleMs: number;
  /** Between attempts to connect: this, doubled up to the other. */
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
}

export const DEFAULT_TIMEOUTS: Timeouts = {
  connectMs: 1_000,
  heartbeatMs: 2_000,
  requestMs: 10_000,
  frameMs: 60_000,
  idleMs: 60_000,
  backoffMs: 10,
  maxBackoffMs: 250,
};

export interface TransportLimits {
  readonly maxFrameBytes: number;
  /**
   * Connections that others opened to this node; with TLS, of those who have not shown yet whose
   * they are.
   */
  readonly maxConnections: number;
  /** With TLS: of one server that has. */
  readonly maxConnectionsPerPeer: number;
  /** Bytes of requests that wait in memory, over all connections from others. */
  readonly maxIncomingBytes: number;
  /** Bytes that wait to be sent on one connection, and requests without an answer. */
  readonly maxQueuedBytes: number;
  readonly maxQueuedRequests: number;
}

export const DEFAULT_TRANSPORT_LIMITS: TransportLimits = {
  maxFrameBytes: 64 * 1024 * 1024,
  maxConnections: 256,
  maxConnectionsPerPeer: 32,
  maxIncomingBytes: 256 * 1024 * 1024,
  maxQueuedBytes: 64 * 1024 * 1024,
  maxQueuedRequests: 1024,
};

export interface TcpTransportOptions {
  /** Goes into the header of answers, as Go has it. */
  readonly self: PeerRef;
  /** Port 0 takes a free one. */
  readonly listen: { readonly host: string; readonly port: number };
  readonly tls?: TlsOptions;
  readonly book?: AddressBook;
  /**
   * No Go node takes part. With TLS a peer shows by itself that it is one of ours; without, only
   * what hashicorp has is sent, unless this says that it need not be.
   */
  readonly isAllOurs?: boolean;
  readonly timeouts?: Partial<Timeouts>;
  readonly limits?: Partial<TransportLimits>;
  readonly log: Log;
}

export interface TransportStats {
  /** Connections from others, and to others. */
  readonly incoming: number;
  readonly outgoing: number;
  /** Bytes of requests that wait in memory. */
  readonly incomingBytes: number;
}

export interface TcpTransport {
  /** Resolves once connections are taken. Without `kept` every snapshot comes whole. */
  listen(handler: RequestHandler, kept?: KeptOf): Promise<void>;
  /** Where it listens, once it does. */
  address(): { readonly host: string; readonly port: number };
  /** @throws SendError */
  send(outgoing: Outgoing): Promise<Response>;
  /** For the next connections; those to where a server is no longer said to be are ended. */
  setBook(book: AddressBook): void;
  /**
   * Whom nobody listens to any more, whatever certificate it shows: servers that were removed, and
   * whose ids are never used again. Each call replaces the list.
   */
  refuse(ids: readonly ServerId[]): void;
  /**
   * Certificates for new connections, both ways.
   * @throws Error for ones that do not fit together, or when it speaks without TLS; nothing changes
   */
  setTls(tls: TlsOptions): void;
  stats(): TransportStats;
  close(): Promise<void>;
}

/** Certificates in use, ready for a connection. */
export interface Secured extends TlsOptions {
  readonly context: SecureContext;
}

/** What the parts of the transport share. */
export interface Shared {
  readonly self: PeerRef;
  /** Replaced when certificates are renewed. */
  tls: Secured | undefined;
  readonly isAllOurs: boolean;
  readonly timeouts: Timeouts;
  readonly limits: TransportLimits;
  readonly log: Log;
  /** For what others can cause: seldom, whatever they do. */
  readonly noise: QuietLog;
  readonly outgoing: Set<Socket>;
  /** Servers that were removed. */
  refused: ReadonlySet<ServerId>;
}
