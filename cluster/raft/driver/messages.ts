import type {
  Change,
  ConfigurationChange,
  PeerRef,
  RefusalReason,
  Role,
  ServerId,
  SnapshotMeta,
  Status,
} from '../core/types.ts';
import type { AddressBook } from '../transport/types.ts';
import type { Applied } from './ports.ts';

/**
 * What the two halves of the driver say to each other: the engine (core, store, transport) and the
 * host (state machine, callers). Plain data, so that it may cross to another process. Proposals and
 * barriers are answered in the order in which they came, so they need no names.
 */
export type ToEngine =
  | { readonly type: 'propose'; readonly data: readonly Uint8Array[]; readonly term?: number }
  | { readonly type: 'barrier' }
  | { readonly type: 'change'; readonly id: number; readonly change: Change }
  | { readonly type: 'read'; readonly id: number; readonly mode: 'quorum' | 'lease' }
  | { readonly type: 'transfer'; readonly id: number; readonly to?: ServerId }
  | { readonly type: 'stepDown' }
  | { readonly type: 'snapshot'; readonly id: number }
  | { readonly type: 'status'; readonly id: number }
  /** Where the others are from now on. */
  | { readonly type: 'book'; readonly addresses: AddressBook }
  /** Who is heard no more. */
  | { readonly type: 'refuse'; readonly ids: readonly ServerId[] }
  /** The certificates on disk are others. */
  | { readonly type: 'reloadTls'; readonly id: number }
  /** The state machine is at this entry. */
  | { readonly type: 'applied'; readonly index: number; readonly term: number }
  /** The snapshot the engine asked for is of the state at this entry; its pieces follow. */
  | {
      readonly type: 'snapshotAt';
      readonly token: number;
      readonly index: number;
      readonly term: number;
    }
  /** The next piece of it; without bytes its end. */
  | { readonly type: 'chunk'; readonly token: number; readonly bytes?: Uint8Array }
  | { readonly type: 'snapshotFailed'; readonly token: number; readonly message: string }
  /** The host is ready for the next piece of the snapshot it is being given. */
  | { readonly type: 'restoreMore' }
  | { readonly type: 'pong' };

export type ToHost =
  | {
      readonly type: 'accepted';
      readonly count: number;
      readonly index: number;
      readonly term: number;
    }
  | { readonly type: 'refused'; readonly count: number; readonly refusal: Refusal }
  /** The answer to a message with an id; `index` is where it is in the log, or what a read awaits. */
  | { readonly type: 'done'; readonly id: number; readonly index: number; readonly term: number }
  | { readonly type: 'failed'; readonly id: number; readonly refusal: Refusal }
  | { readonly type: 'status'; readonly id: number; readonly status: EngineStatus }
  | { readonly type: 'apply'; readonly entries: readonly Applied[] }
  | { readonly type: 'restore'; readonly snapshot: SnapshotMeta }
  | { readonly type: 'restoreChunk'; readonly bytes?: Uint8Array }
  | { readonly type: 'takeSnapshot'; readonly token: number }
  | { readonly type: 'wantChunk'; readonly token: number }
  | {
      readonly type: 'role';
      readonly role: Role;
      readonly term: number;
      readonly leader: PeerRef | undefined;
    }
  | { readonly type: 'configuration'; readonly change: ConfigurationChange }
  | { readonly type: 'ping' };

export interface Refusal {
  readonly reason:
    | RefusalReason
    | 'busy'
    | 'too-large'
    | 'term-changed'
    | 'ended'
    | 'snapshot-failed'
    | 'bad-certificates';
  readonly detail?: string;
  readonly leader?: PeerRef;
}

export type Metrics = Readonly<Record<string, number>>;

export interface EngineStatus extends Status {
  readonly metrics: Metrics;
}

/** One end of the connection between the halves, as the host sees it. */
export interface Link {
  post(message: ToEngine): void;
  onMessage(handler: (message: ToHost) => void): void;
  /** Called once, when the engine has ended; with an error unless that was asked for. */
  onEnd(handler: (error: Error | undefined) => void): void;
  close(): Promise<void>;
}
