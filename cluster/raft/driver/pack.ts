import type { EntryType } from '../core/types.ts';
import type { ToEngine, ToHost } from './messages.ts';
import type { Applied } from './ports.ts';

/**
 * Messages as they cross to the other process: many small pieces of bytes cost far more there, one
 * by one, than the same bytes in one piece.
 */
interface Pieces {
  readonly sizes: Uint32Array;
  readonly bytes: Uint8Array;
}

type Propose = Extract<ToEngine, { type: 'propose' }>;
type Apply = Extract<ToHost, { type: 'apply' }>;

export interface PackedPropose extends Omit<Propose, 'data'> {
  readonly pieces: Pieces;
}

/** The indices follow one another; so do terms, in runs. */
export interface PackedApply extends Omit<Apply, 'entries'> {
  readonly pieces: Pieces;
  readonly first: number;
  readonly terms: readonly { readonly term: number; readonly count: number }[];
  readonly types: Uint8Array;
}

export type PackedToEngine = PackedPropose | Exclude<ToEngine, Propose>;
export type PackedToHost = PackedApply | Exclude<ToHost, Apply>;

const types: readonly EntryType[] = ['command', 'noop', 'barrier', 'configuration'];

export function packToEngine(message: ToEngine): PackedToEngine {
  if (message.type !== 'propose') return message;
  const { data, ...rest } = message;
  return { ...rest, pieces: joinPieces(data) };
}

export function unpackToEngine(message: PackedToEngine): ToEngine {
  if (message.type !== 'propose') return message;
  const { pieces, ...rest } = message;
  return { ...rest, data: splitPieces(pieces) };
}

export function packToHost(message: ToHost): PackedToHost {
  if (message.type !== 'apply') return message;
  const { entries } = message;
  const terms: { term: number; count: number }[] = [];
  let run: { term: number; count: number } | undefined;
  const kinds = new Uint8Array(entries.length);
  entries.forEach(({ term, type }, at) => {
    if (run?.term === term) run.count += 1;
    else terms.push((run = { term, count: 1 }));
    kinds[at] = types.indexOf(type);
  });
  const pieces = joinPieces(entries.map(({ data }) => data));
  return { type: 'apply', pieces, first: entries[0]?.index ?? 0, terms, types: kinds };
}

export function unpackToHost(message: PackedToHost): ToHost {
  if (message.type !== 'apply') return message;
  const { pieces, first, terms, types: kinds } = message;
  const data = splitPieces(pieces);
  const entries: Applied[] = [];
  for (const { term, count } of terms) {
    for (let nth = 0; nth < count; nth += 1) {
      const at = entries.length;
      const type = types[kinds[at] ?? 0] ?? 'command';
      entries.push({ index: first + at, term, type, data: data[at] ?? new Uint8Array() });
    }
  }
  return { type: 'apply', entries };
}

function joinPieces(pieces: readonly Uint8Array[]): Pieces {
  const sizes = Uint32Array.from(pieces, ({ length }) => length);
  let size = 0;
  for (const each of sizes) size += each;
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return { sizes, bytes };
}

/** Each has its own memory if there is but one, and shares that of the whole otherwise. */
function splitPieces({ sizes, bytes }: Pieces): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const size of sizes) {
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}
