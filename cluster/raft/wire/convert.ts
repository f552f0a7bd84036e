/** Between the core's messages and those on the wire: what Go may say and the core must never hear. */
import type { Entry, EntryType, PeerRef, Request, Response, SnapshotMeta } from '../core/types.ts';
import { decodeConfiguration, encodeConfiguration, encodePeers, rawText } from './configuration.ts';
import { decodeGoTime, encodeGoTime } from './gotime.ts';
import {
  encodeLogs,
  type Kind,
  type WireAppendRequest,
  type WireInstallRequest,
  type WireLog,
  type WireRequest,
  type WireResponse,
} from './messages.ts';
import { WireError, type Int, type Raw } from './msgpack.ts';

/**
 * A request that is well-formed and yet not to be obeyed. Its message is the error text to
 * answer; the
 * connection goes on, behind the stream if the request was an install.
 */
export class RefusedError extends WireError {}

/** The protocol version we speak; a receiver takes its own and the one before. */
const PROTOCOL = 3;
const SNAPSHOT_VERSION = 1;
/** hashicorp's own words. */
const OLD_PROTOCOL = 'operation not supported with current protocol version';
/** What Go answers, or an in-memory transport, for a pre-vote that it does not know. */
const UNKNOWN_COMMAND = 'unexpected command';

const TYPES: Readonly<Record<EntryType, number>> = {
  command: 0,
  noop: 1,
  barrier: 4,
  configuration: 5,
};
const TYPE_NAMES = new Map<Int, EntryType>(
  Object.entries(TYPES).map(([name, number]) => [number, name as EntryType]),
);
const NO_BYTES = new Uint8Array(0);

export interface ConvertOptions {
  /** As hashicorp/raft before 1.3 wrote: no Addr, ID or AppendedAt. For tests. */
  readonly isLegacy?: boolean;
}

// Requests, outward -------------------------------------------------------------------------------

function entryToWire(entry: Entry, { isLegacy }: ConvertOptions = {}): WireLog {
  const isOwn = entry.type === 'noop' || entry.type === 'barrier';
  return {
    AppendedAt: isLegacy ? undefined : encodeGoTime(entry.appendedAt),
    Data: isOwn && entry.data.length === 0 ? null : entryData(entry),
    Extensions: entry.extensions ?? null,
    Index: entry.index,
    Term: entry.term,
    Type: TYPES[entry.type],
  };
}

/** An entry's bytes for wire and store: a configuration is encoded if it has not been yet. */
export function entryData(entry: Entry): Uint8Array {
  if (entry.data.length > 0 || !entry.configuration) return entry.data;
  return encodeConfiguration(entry.configuration);
}

/** The entries alone as one block, for `EncodeOptions.block`. */
export const encodeEntries = (entries: readonly Entry[]): Uint8Array =>
  encodeLogs(entries.map((entry) => entryToWire(entry)));

/**
 * With `isBlocked` the entries are left out, as their block goes in on encoding.
 */
export function requestToWire(
  request: Request,
  options: ConvertOptions & { readonly isBlocked?: boolean } = {},
): WireRequest {
  const address = Buffer.from('from' in request ? request.from.address : '');
  const header = {
    ...(options.isLegacy ? {} : peerHeader(request.from)),
    ProtocolVersion: PROTOCOL,
  };
  switch (request.kind) {
    case 'append':
      return { kind: 'append', body: { ...header, ...appendToWire(request, options) } };
    case 'vote':
      return {
        kind: 'vote',
        body: {
          ...header,
          Candidate: address,
          LastLogIndex: request.lastIndex,
          LastLogTerm: request.lastTerm,
          LeadershipTransfer: request.isTransfer,
          Term: request.term,
        },
      };
    case 'preVote':
      return {
        kind: 'preVote',
        body: {
          ...header,
          LastLogIndex: request.lastIndex,
          LastLogTerm: request.lastTerm,
          Term: request.term,
        },
      };
    case 'install':
      return {
        kind: 'install',
        body: {
          ...header,
          ...snapshotToWire(request.snapshot),
          Leader: address,
          Size: request.size,
          Term: request.term,
        },
      };
    case 'timeoutNow':
      return { kind: 'timeoutNow', body: header };
  }
}

type Of<K extends Kind> = Extract<Request, { kind: K }>;

function appendToWire(
  request: Of<'append'>,
  options: ConvertOptions & { readonly isBlocked?: boolean },
): WireAppendRequest {
  const entries =
    request.isHeartbeat || options.isBlocked
      ? null
      : request.entries.map((entry) => entryToWire(entry, options));
  return {
    Entries: entries,
    Leader: Buffer.from(request.from.address),
    LeaderCommitIndex: request.commit,
    PrevLogEntry: request.prevIndex,
    PrevLogTerm: request.prevTerm,
    Term: request.term,
  };
}

function snapshotToWire(snapshot: SnapshotMeta): WireInstallRequest {
  return {
    Configuration: encodeConfiguration(snapshot.configuration),
    ConfigurationIndex: snapshot.configurationIndex,
    LastLogIndex: snapshot.index,
    LastLogTerm: snapshot.term,
    Peers: encodePeers(snapshot.configuration),
    SnapshotVersion: SNAPSHOT_VERSION,
  };
}

function peerHeader(peer: PeerRef): { Addr: Raw; ID: Raw } {
  return {
    Addr: Buffer.from(peer.address),
    ID: peer.id === undefined ? null : Buffer.from(peer.id),
  };
}

// Requests, inward --------------------------------------------------------------------------------

/** @throws RefusedError for what the core must not hear. */
export function requestFromWire({ kind, body }: WireRequest): Request {
  const old = kind === 'append' ? body.Leader : kind === 'vote' ? body.Candidate : undefined;
  const from = peerFrom(body, kind === 'install' ? body.Leader : old);
  const isHeartbeat = kind === 'append' && isHeartbeatShape(body);
  const version = Number(body.ProtocolVersion ?? 0);
  // Go looks at no version in a heartbeat.
  if (!isHeartbeat && (version > PROTOCOL || version < PROTOCOL - 1)) {
    throw new RefusedError(OLD_PROTOCOL);
  }
  switch (kind) {
    case 'append':
      return appendFromWire(body, from, isHeartbeat);
    case 'vote':
      return {
        kind,
        from,
        ...position(body),
        isTransfer: body.LeadershipTransfer ?? false,
      };
    case 'preVote':
      return { kind, from, ...position(body) };
    case 'install':
      return {
        kind,
        from,
        term: whole(body.Term, 'term'),
        snapshot: snapshotFromWire(body),
        size: installSize(body),
      };
    case 'timeoutNow':
      return { kind, from };
  }
}

/** How many bytes follow an install request. @throws WireError: without it the stream has no end. */
export function installSize(body: WireInstallRequest): number {
  const size = body.Size ?? 0;
  if (typeof size === 'bigint' || size < 0) throw new WireError(`a snapshot of ${size} bytes`);
  return size;
}

function isHeartbeatShape(body: WireAppendRequest): boolean {
  const isEmpty = (body.Entries?.length ?? 0) === 0;
  const isBare = !body.PrevLogEntry && !body.PrevLogTerm && !body.LeaderCommitIndex;
  return isEmpty && isBare && Boolean(body.Term);
}

function appendFromWire(body: WireAppendRequest, from: PeerRef, isHeartbeat: boolean): Request {
  const prevIndex = whole(body.PrevLogEntry, 'index');
  const commit = body.LeaderCommitIndex ?? 0;
  return {
    kind: 'append',
    from,
    term: whole(body.Term, 'term'),
    prevIndex,
    prevTerm: whole(body.PrevLogTerm, 'term'),
    entries: (body.Entries ?? []).map((log, i) => {
      const entry = entryFromWire(log);
      if (entry.index === prevIndex + 1 + i) return entry;
      throw new RefusedError(`entry ${entry.index} does not follow entry ${prevIndex + i}`);
    }),
    commit: typeof commit === 'bigint' ? Number.MAX_SAFE_INTEGER : commit,
    isHeartbeat,
  };
}

/** @throws RefusedError for a type that is no longer, or not yet, in use: it would end Go nodes. */
function entryFromWire(log: WireLog): Entry {
  const type = TYPE_NAMES.get(log.Type ?? 0);
  if (type === undefined) throw new RefusedError(`unknown log type ${log.Type}`);
  const appendedAt = decodeGoTime(log.AppendedAt);
  const data = log.Data ?? NO_BYTES;
  return {
    index: whole(log.Index, 'index'),
    term: whole(log.Term, 'term'),
    type,
    data,
    ...(type === 'configuration' ? { configuration: refusing(data) } : {}),
    ...(log.Extensions && log.Extensions.length > 0 ? { extensions: log.Extensions } : {}),
    ...(appendedAt === undefined ? {} : { appendedAt }),
  };
}

function snapshotFromWire(body: WireInstallRequest): SnapshotMeta {
  const version = body.SnapshotVersion ?? 0;
  // Version 0 carries its members as Peers alone, which have no ids.
  if (version !== SNAPSHOT_VERSION) {
    throw new RefusedError(`unsupported snapshot version ${version}`);
  }
  return {
    index: whole(body.LastLogIndex, 'index'),
    term: whole(body.LastLogTerm, 'term'),
    configuration: refusing(body.Configuration ?? NO_BYTES),
    configurationIndex: whole(body.ConfigurationIndex, 'index'),
  };
}

function refusing(bytes: Uint8Array) {
  try {
    return decodeConfiguration(bytes);
  } catch (error) {
    if (error instanceof WireError) throw new RefusedError(`bad configuration: ${error.message}`);
    throw error;
  }
}

interface Position {
  LastLogIndex?: Int | undefined;
  LastLogTerm?: Int | undefined;
  Term?: Int | undefined;
}

const position = (body: Position) => ({
  term: whole(body.Term, 'term'),
  lastIndex: whole(body.LastLogIndex, 'index'),
  lastTerm: whole(body.LastLogTerm, 'term'),
});

function whole(value: Int | undefined, what: 'term' | 'index'): number {
  if (typeof value === 'bigint') throw new RefusedError(`the ${what} ${value} is above 2^53 - 1`);
  return value ?? 0;
}

function peerFrom(header: { Addr?: Raw | undefined; ID?: Raw | undefined }, old: Raw | undefined) {
  const hasAddress = header.Addr && header.Addr.length > 0;
  return {
    id: header.ID && header.ID.length > 0 ? rawText(header.ID) : undefined,
    address: rawText(hasAddress ? header.Addr : old),
  };
}

// Responses ---------------------------------------------------------------------------------------

/** `self` goes into the header where Go puts it; answers to install and timeoutNow have an empty one. */
export function responseToWire(response: Response, self: PeerRef): WireResponse {
  const header = { ...peerHeader(self), ProtocolVersion: PROTOCOL };
  const empty = { Addr: null, ID: null, ProtocolVersion: 0 };
  const error = '';
  switch (response.kind) {
    case 'append':
      return {
        kind: 'append',
        error,
        body: {
          ...header,
          LastLog: response.lastLog,
          NoRetryBackoff: response.noRetryBackoff,
          Success: response.isSuccess,
          Term: response.term,
        },
      };
    case 'vote': {
      const body = { ...header, Granted: response.isGranted, Peers: null, Term: response.term };
      return { kind: 'vote', error, body };
    }
    case 'preVote': {
      const body = { ...header, Granted: response.isGranted, Term: response.term };
      return { kind: 'preVote', error, body };
    }
    case 'install': {
      const body = { ...empty, Success: response.isSuccess, Term: response.term };
      return { kind: 'install', error, body };
    }
    case 'timeoutNow':
      return { kind: 'timeoutNow', error, body: empty };
  }
}

/** @throws RefusedError when the answer is an error text; see `isUnknownCommand`. */
export function responseFromWire({ kind, error, body }: WireResponse): Response {
  if (error !== '') throw new RefusedError(error);
  if (body === null) throw new RefusedError(`the answer to ${kind} is nil`);
  switch (kind) {
    case 'append':
      return {
        kind,
        term: whole(body.Term, 'term'),
        lastLog: whole(body.LastLog, 'index'),
        isSuccess: body.Success ?? false,
        noRetryBackoff: body.NoRetryBackoff ?? false,
      };
    case 'vote':
    case 'preVote':
      return { kind, term: whole(body.Term, 'term'), isGranted: body.Granted ?? false };
    case 'install':
      return { kind, term: whole(body.Term, 'term'), isSuccess: body.Success ?? false };
    case 'timeoutNow':
      return { kind };
  }
}

/** The peer does not know this request: for a pre-vote the same as a connection that it ended. */
export const isUnknownCommand = (response: WireResponse): boolean =>
  response.kind === 'preVote' && response.error.includes(UNKNOWN_COMMAND);
