/**
 * hashicorp/raft's messages as they lie on the wire, without loss: what is decoded encodes to
 * the same
 * bytes. An absent key is `undefined`, nil is `null`. Names are the wire's own.
 */
import {
  DEFAULT_LIMITS,
  WireError,
  createWriter,
  ensure,
  openValue,
  rawLength,
  readArrayHeader,
  readBool,
  readInt,
  readMapHeader,
  readRaw,
  readTime,
  readUint,
  skipValue,
  writeArrayHeader,
  writeBool,
  writeByte,
  writeBytes,
  writeInt,
  writeMapHeader,
  writeNil,
  writeRaw,
  writeText,
  writeUint,
  written,
  type Cursor,
  type Int,
  type Limits,
  type Raw,
  type Writer,
} from './msgpack.ts';

export interface WireLog {
  AppendedAt?: Raw | undefined;
  Data?: Raw | undefined;
  Extensions?: Raw | undefined;
  Index?: Int | undefined;
  Term?: Int | undefined;
  Type?: Int | undefined;
}

interface Header {
  Addr?: Raw | undefined;
  ID?: Raw | undefined;
  ProtocolVersion?: Int | undefined;
  /** Ours, between Revenge nodes alone; see resume.ts. */
  Revenge?: Int | undefined;
}

export interface WireAppendRequest extends Header {
  Entries?: readonly WireLog[] | null | undefined;
  Leader?: Raw | undefined;
  LeaderCommitIndex?: Int | undefined;
  PrevLogEntry?: Int | undefined;
  PrevLogTerm?: Int | undefined;
  Term?: Int | undefined;
}

export interface WireAppendResponse extends Header {
  LastLog?: Int | undefined;
  NoRetryBackoff?: boolean | undefined;
  Success?: boolean | undefined;
  Term?: Int | undefined;
}

export interface WireVoteRequest extends Header {
  Candidate?: Raw | undefined;
  LastLogIndex?: Int | undefined;
  LastLogTerm?: Int | undefined;
  LeadershipTransfer?: boolean | undefined;
  Term?: Int | undefined;
}

export interface WireVoteResponse extends Header {
  Granted?: boolean | undefined;
  Peers?: Raw | undefined;
  Term?: Int | undefined;
}

export interface WirePreVoteRequest extends Header {
  LastLogIndex?: Int | undefined;
  LastLogTerm?: Int | undefined;
  Term?: Int | undefined;
}

export interface WirePreVoteResponse extends Header {
  Granted?: boolean | undefined;
  Term?: Int | undefined;
}

export interface WireInstallRequest extends Header {
  Configuration?: Raw | undefined;
  ConfigurationIndex?: Int | undefined;
  LastLogIndex?: Int | undefined;
  LastLogTerm?: Int | undefined;
  Leader?: Raw | undefined;
  Peers?: Raw | undefined;
  RevengeCrc?: Int | undefined;
  RevengeFrom?: Int | undefined;
  RevengeSize?: Int | undefined;
  Size?: Int | undefined;
  SnapshotVersion?: Int | undefined;
  Term?: Int | undefined;
}

export interface WireInstallResponse extends Header {
  RevengeFrom?: Int | undefined;
  Success?: boolean | undefined;
  Term?: Int | undefined;
}

interface Requests {
  append: WireAppendRequest;
  vote: WireVoteRequest;
  install: WireInstallRequest;
  timeoutNow: Header;
  preVote: WirePreVoteRequest;
}

interface Responses {
  append: WireAppendResponse;
  vote: WireVoteResponse;
  install: WireInstallResponse;
  timeoutNow: Header;
  preVote: WirePreVoteResponse;
}

export type Kind = keyof Requests;
export type WireRequest = { [K in Kind]: { kind: K; body: Requests[K] } }[Kind];
/** `error` is Go's error text, empty when all is well; then or not, the body may be nil. */
export type WireResponse = {
  [K in Kind]: { kind: K; error: string; body: Responses[K] | null };
}[Kind];

/** In the order of their type bytes. */
const KINDS: readonly Kind[] = ['append', 'vote', 'install', 'timeoutNow', 'preVote'];

/** @throws WireError for a byte that begins no request: the connection must end. */
export function kindOf(byte: number): Kind {
  const kind = KINDS[byte];
  if (kind === undefined) throw new WireError(`the byte ${byte} begins no request`);
  return kind;
}

type Form = 'raw' | 'time' | 'uint' | 'int' | 'bool' | 'logs';
interface Field {
  readonly name: string;
  readonly form: Form;
  /** The key as it is written. */
  readonly key: Buffer;
}

function fields(forms: Record<string, Form>): readonly Field[] {
  return Object.entries(forms)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, form]) => {
      const w = createWriter(32);
      writeText(w, name);
      return { name, form, key: written(w) };
    });
}

const header = { Addr: 'raw', ID: 'raw', ProtocolVersion: 'int', Revenge: 'int' } as const;
const last = { LastLogIndex: 'uint', LastLogTerm: 'uint', Term: 'uint' } as const;

const REQUESTS: Record<Kind, readonly Field[]> = {
  append: fields({
    ...header,
    Entries: 'logs',
    Leader: 'raw',
    LeaderCommitIndex: 'uint',
    PrevLogEntry: 'uint',
    PrevLogTerm: 'uint',
    Term: 'uint',
  }),
  vote: fields({ ...header, ...last, Candidate: 'raw', LeadershipTransfer: 'bool' }),
  install: fields({
    ...header,
    ...last,
    Configuration: 'raw',
    ConfigurationIndex: 'uint',
    Leader: 'raw',
    Peers: 'raw',
    RevengeCrc: 'uint',
    RevengeFrom: 'uint',
    RevengeSize: 'uint',
    Size: 'int',
    SnapshotVersion: 'int',
  }),
  timeoutNow: fields(header),
  preVote: fields({ ...header, ...last }),
};

const RESPONSES: Record<Kind, readonly Field[]> = {
  append: fields({
    ...header,
    LastLog: 'uint',
    NoRetryBackoff: 'bool',
    Success: 'bool',
    Term: 'uint',
  }),
  vote: fields({ ...header, Granted: 'bool', Peers: 'raw', Term: 'uint' }),
  install: fields({ ...header, RevengeFrom: 'uint', Success: 'bool', Term: 'uint' }),
  timeoutNow: fields(header),
  preVote: fields({ ...header, Granted: 'bool', Term: 'uint' }),
};

const LOG = fields({
  AppendedAt: 'time',
  Data: 'raw',
  Extensions: 'raw',
  Index: 'uint',
  Term: 'uint',
  Type: 'uint',
});

// Decoding ----------------------------------------------------------------------------------------

type Values = Record<string, unknown>;

/** Keys nearly always come in order, so the next one expected is compared before it is looked for. */
function readFields(c: Cursor, schema: readonly Field[], into: Values): void {
  let next = 0;
  for (let left = readMapHeader(c); left > 0; left--) {
    const found = readField(c, schema, next);
    if (found < 0) skipValue(c);
    else {
      const field = schema[found]!;
      into[field.name] = readForm(c, field.form);
      next = found + 1;
    }
  }
}

function readField(c: Cursor, schema: readonly Field[], next: number): number {
  for (let i = next; i < schema.length && i < next + 3; i++) {
    const key = schema[i]!.key;
    if (startsWith(c, key)) {
      c.at += key.length;
      return i;
    }
  }
  const length = rawLength(c);
  if (length < 0) throw new WireError('a key is not text');
  const from = c.at;
  c.at += length;
  const name = Buffer.from(c.buf.buffer, c.buf.byteOffset + from, Math.min(length, 64));
  const text = length > 64 ? '' : name.toString('latin1');
  return schema.findIndex((field) => field.name === text);
}

function startsWith(c: Cursor, key: Uint8Array): boolean {
  const { buf, at } = c;
  for (let i = 0; i < key.length; i++) if (buf[at + i] !== key[i]) return false;
  return true;
}

function readForm(c: Cursor, form: Form): unknown {
  switch (form) {
    case 'raw':
      return readRaw(c);
    case 'time':
      return readTime(c);
    case 'uint':
      return readUint(c);
    case 'int':
      return readInt(c);
    case 'bool':
      return readBool(c);
    case 'logs':
      return readLogs(c);
  }
}

function readLogs(c: Cursor): WireLog[] | null {
  const count = readArrayHeader(c);
  if (count < 0) return null;
  const logs: WireLog[] = [];
  for (let i = 0; i < count; i++) logs.push(readLog(c));
  return logs;
}

/** Spelled out, because it runs for every entry. */
function readLog(c: Cursor): WireLog {
  const log: WireLog = {
    AppendedAt: undefined,
    Data: undefined,
    Extensions: undefined,
    Index: undefined,
    Term: undefined,
    Type: undefined,
  };
  let next = 0;
  for (let left = readMapHeader(c); left > 0; left--) {
    const found = readField(c, LOG, next);
    if (found === 0) log.AppendedAt = readTime(c);
    else if (found === 1) log.Data = readRaw(c);
    else if (found === 2) log.Extensions = readRaw(c);
    else if (found === 3) log.Index = readUint(c);
    else if (found === 4) log.Term = readUint(c);
    else if (found === 5) log.Type = readUint(c);
    else skipValue(c);
    if (found >= 0) next = found + 1;
  }
  return log;
}

/** Reads the map behind a type byte; the cursor stands on a whole value. */
export function readRequest(kind: Kind, c: Cursor): WireRequest {
  const body: Values = {};
  readFields(c, REQUESTS[kind], body);
  return { kind, body };
}

const MAX_ERROR_TEXT = 4096;

export function readErrorText(c: Cursor): string {
  const raw = readRaw(c);
  if (raw === null) return '';
  return Buffer.from(raw.subarray(0, MAX_ERROR_TEXT)).toString('utf8');
}

export function readResponse(kind: Kind, error: string, c: Cursor): WireResponse {
  if (c.buf[c.at] === 0xc0) {
    c.at++;
    return { kind, error, body: null };
  }
  const body: Values = {};
  readFields(c, RESPONSES[kind], body);
  return { kind, error, body };
}

/** A whole request, from its type byte on. @throws WireError */
export function decodeRequest(bytes: Uint8Array, limits: Limits = DEFAULT_LIMITS): WireRequest {
  if (bytes.length === 0) throw new WireError('a request is empty');
  return readRequest(kindOf(bytes[0]!), openValue(bytes.subarray(1), limits));
}

/** A whole response: error text and body. @throws WireError */
export function decodeResponse(kind: Kind, bytes: Uint8Array): WireResponse {
  const first = openValue(bytes);
  const error = readErrorText(first);
  return readResponse(kind, error, openValue(bytes.subarray(first.at)));
}

// Encoding ----------------------------------------------------------------------------------------

export interface EncodeOptions {
  /** Go's `int` fields in the unsigned forms of go-msgpack 0.5.5 (hashicorp/raft up to 1.5). */
  readonly isUnsigned?: boolean;
  /** Written in place of `Entries`: the block that `encodeLogs` made, shared between peers. */
  readonly block?: Uint8Array;
}

function writeFields(w: Writer, schema: readonly Field[], job: Job): void {
  const { values, options } = job;
  let count = 0;
  for (const field of schema) if (values[field.name] !== undefined) count++;
  writeMapHeader(w, count);
  for (const field of schema) {
    const value = values[field.name];
    if (value === undefined) continue;
    writeBytes(w, field.key);
    if (field.form === 'logs' && options.block) job.onBlock(options.block);
    else writeForm(w, { form: field.form, value }, options);
  }
}

interface Job {
  readonly values: Values;
  readonly options: EncodeOptions;
  readonly onBlock: (block: Uint8Array) => void;
}

interface Value {
  readonly form: Form;
  readonly value: unknown;
}

function writeForm(w: Writer, { form, value }: Value, options: EncodeOptions): void {
  switch (form) {
    case 'raw':
    case 'time':
      return writeRaw(w, value as Raw);
    case 'uint':
      return writeUint(w, value as Int);
    case 'int':
      return options.isUnsigned ? writeUint(w, value as Int) : writeInt(w, value as Int);
    case 'bool':
      return writeBool(w, value as boolean);
    case 'logs':
      return value === null ? writeNil(w) : writeLogs(w, value as readonly WireLog[]);
  }
}

function writeLogs(w: Writer, logs: readonly WireLog[]): void {
  writeArrayHeader(w, logs.length);
  for (const log of logs) {
    ensure(w, 96 + (log.Data?.length ?? 0));
    writeFields(w, LOG, { values: log as Values, options: {}, onBlock: () => undefined });
  }
}

/** The array of entries by itself, header included. */
export function encodeLogs(logs: readonly WireLog[]): Uint8Array {
  const w = createWriter(256 * (logs.length + 1));
  writeLogs(w, logs);
  return written(w);
}

/** A block up to this size is copied into the request; a longer one stays a part of its own. */
const COPY_BELOW = 8 * 1024;

/** The parts of a request, in order, type byte first: one, or three around a long shared block. */
export function encodeRequest(request: WireRequest, options: EncodeOptions = {}): Uint8Array[] {
  const parts: Uint8Array[] = [];
  const w = createWriter(256 + Math.min(options.block?.length ?? 0, COPY_BELOW));
  writeByte(w, KINDS.indexOf(request.kind));
  const onBlock = (block: Uint8Array) => {
    if (block.length <= COPY_BELOW) return writeBytes(w, block);
    parts.push(written(w), block);
    w.buf = w.buf.subarray(w.at);
    w.at = 0;
  };
  writeFields(w, REQUESTS[request.kind], { values: request.body as Values, options, onBlock });
  parts.push(written(w));
  return parts;
}

export function encodeResponse(response: WireResponse, options: EncodeOptions = {}): Uint8Array {
  const w = createWriter(160);
  writeText(w, response.error);
  if (response.body === null) writeNil(w);
  else {
    const values = response.body as Values;
    writeFields(w, RESPONSES[response.kind], { values, options, onBlock: () => undefined });
  }
  return written(w);
}
