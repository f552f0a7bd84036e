import type {
  Boot,
  Entry,
  FailureReason,
  Request,
  Response,
  Save,
  ServerId,
  SnapshotMeta,
} from '../core/types.ts';
import type { AddressBook, KeptOf, RequestHandler, SnapshotSource } from '../transport/types.ts';
import type { Content, Rest } from '../wire/resume.ts';

/** What the driver needs of others, as small as it needs it. */

export type Bytes = AsyncIterable<Uint8Array>;

export interface Log {
  info(message: string, facts?: Record<string, unknown>): void;
  warn(message: string, facts?: Record<string, unknown>): void;
  error(message: string, facts?: Record<string, unknown>): void;
}

/** A rejection of `send` carries this. */
export interface SendFailure extends Error {
  readonly reason: FailureReason;
}

export interface Outgoing {
  readonly to: ServerId;
  readonly address: string;
  readonly request: Request;
  /** Of an install; it is the transport that closes it. */
  readonly source?: SnapshotSource;
}

export interface Transport {
  listen(handler: RequestHandler, kept: KeptOf): Promise<void>;
  send(outgoing: Outgoing): Promise<Response>;
  setBook(book: AddressBook): void;
  refuse(ids: readonly ServerId[]): void;
  /** Certificates are read again; a rejection means that those from before stay in use. */
  reloadTls(): Promise<void>;
  close(): Promise<void>;
}

export interface SnapshotSink {
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves once the snapshot is durable under its name; refuses unless it has these many bytes. */
  commit(size: number): Promise<void>;
  abort(): Promise<void>;
}

export interface Store {
  readonly boot: Boot;
  /** Resolves once all of them are durable; a rejection ends the driver. */
  save(saves: readonly Save[]): Promise<void>;
  /** Committed up to here: written down with the next save, for whoever has to recover these data. */
  hintCommit(index: number): void;
  /** This node's own snapshot is there as a file: from now on it counts. */
  noteSnapshot(snapshot: SnapshotMeta): Promise<void>;
  /**
   * With `rest` it goes on behind the bytes that are kept, and an abort keeps what has come.
   * @throws Error when not just as many are kept as `rest` follows
   */
  createSnapshot(snapshot: SnapshotMeta, rest?: Rest): Promise<SnapshotSink>;
  /** How many bytes of it are kept, and right; they are no longer written to. */
  keptOf(snapshot: SnapshotMeta, content: Content): Promise<number>;
  openSnapshot(snapshot: SnapshotMeta): Promise<SnapshotSource>;
  close(): Promise<void>;
}

/** An entry as a state machine sees it; every entry of the log comes by, also those not its own. */
export type Applied = Pick<Entry, 'index' | 'term' | 'type' | 'data'>;

export interface StateMachine {
  /** One result per entry, in order; only those of commands reach anybody. */
  apply(entries: readonly Applied[]): readonly unknown[] | Promise<readonly unknown[]>;
  /** The state as it is at the call; entries may be applied while the stream is read. */
  snapshot(): Bytes;
  /** Replaces the state. */
  restore(snapshot: Bytes): Promise<void>;
}
