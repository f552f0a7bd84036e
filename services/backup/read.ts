import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { BackupError } from './errors.ts';
import { decompress } from './frame.ts';
import { parseEnd, parseManifest, type End, type Manifest } from './manifest.ts';
import { isSealed, sealedPrefixBytes, unseal, type Key } from './seal.ts';
import { unpackTar, type Entry } from './tar.ts';
import { countLines } from './write.ts';

/** A backup's content, in order: the manifest first, the end last. */
export type Piece =
  | { readonly kind: 'manifest'; readonly manifest: Manifest }
  /** Whole rows in COPY's text format; a table's pieces follow each other. */
  | { readonly kind: 'rows'; readonly table: string; readonly bytes: Uint8Array }
  | { readonly kind: 'picture'; readonly sha256: string; readonly bytes: Uint8Array }
  | { readonly kind: 'end'; readonly end: End };

/**
 * Reads a backup, and throws at the end at the latest unless it is whole and unaltered: nothing of
 * it may count before it is over.
 * @throws BackupError
 */
export async function* readPieces(file: string, key: Key | undefined): AsyncGenerator<Piece> {
  const state: State = { phase: 'manifest', tables: [], pictures: 0 };
  for await (const entry of unpackTar(decompress(openFile(file, key)))) yield accept(state, entry);
  if (state.phase !== 'over') throw unexpected('its end is not there');
}

/** The manifest alone; what comes after it is not looked at. @throws BackupError */
export async function readManifest(file: string, key: Key | undefined): Promise<Manifest> {
  for await (const piece of readPieces(file, key)) {
    if (piece.kind === 'manifest') return piece.manifest;
  }
  throw unexpected('its manifest is not there');
}

/** Reads all of it. @throws BackupError unless it is whole and unaltered */
export async function verifyBackup(
  file: string,
  key: Key | undefined,
): Promise<{ manifest: Manifest; end: End }> {
  let manifest: Manifest | undefined;
  let end: End | undefined;
  for await (const piece of readPieces(file, key)) {
    if (piece.kind === 'manifest') manifest = piece.manifest;
    if (piece.kind === 'end') end = piece.end;
  }
  return { manifest: manifest!, end: end! };
}

/** Whether only a key tells what is in it. */
export async function isSealedFile(file: string): Promise<boolean> {
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(sealedPrefixBytes));
    return isSealed(buffer.subarray(0, bytesRead));
  } finally {
    await handle.close();
  }
}

async function* openFile(file: string, key: Key | undefined): AsyncGenerator<Uint8Array> {
  const sealed = await isSealedFile(file);
  const bytes = createReadStream(file, { highWaterMark: 256 * 1024 });
  yield* sealed ? unseal(bytes, key) : bytes;
}

const unexpected = (what: string) => new BackupError('damaged', `the backup is damaged: ${what}`);

interface Counted {
  readonly name: string;
  readonly hash: Hash;
  rows: number;
  bytes: number;
}

interface State {
  phase: 'manifest' | 'content' | 'over';
  manifest?: Manifest;
  manifestSha256?: string;
  readonly tables: Counted[];
  pictures: number;
}

const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

function accept(state: State, { name, bytes }: Entry): Piece {
  if (state.phase === 'over') throw unexpected('something follows its end');
  if (state.phase === 'manifest') return acceptManifest(state, { name, bytes });
  const [, table] = /^tables\/([a-z0-9_.]+)\/\d{6}\.copy$/.exec(name) ?? [];
  if (table !== undefined) return acceptRows(state, table, bytes);
  const [, sha256] = /^pictures\/([0-9a-f]{64})$/.exec(name) ?? [];
  if (sha256 !== undefined) return acceptPicture(state, sha256, bytes);
  if (name !== 'end.json') throw unexpected(`it holds ${name}`);
  const end = parseEnd(bytes);
  checkEnd(state, end);
  state.phase = 'over';
  return { kind: 'end', end };
}

function acceptManifest(state: State, { name, bytes }: Entry): Piece {
  if (name !== 'manifest.json') throw unexpected('its manifest is not there');
  const manifest = parseManifest(bytes);
  state.manifest = manifest;
  state.manifestSha256 = digest(bytes);
  state.phase = 'content';
  return { kind: 'manifest', manifest };
}

function acceptRows(state: State, table: string, bytes: Uint8Array): Piece {
  const isKnown = state.manifest?.tables.some(({ name }) => name === table) === true;
  if (!isKnown) throw unexpected(`it holds the table ${table}`);
  let counted = state.tables.at(-1);
  if (counted?.name !== table) {
    counted = { name: table, hash: createHash('sha256'), rows: 0, bytes: 0 };
    state.tables.push(counted);
  }
  counted.hash.update(bytes);
  counted.rows += countLines(bytes);
  counted.bytes += bytes.length;
  return { kind: 'rows', table, bytes };
}

function acceptPicture(state: State, sha256: string, bytes: Uint8Array): Piece {
  if (digest(bytes) !== sha256) throw unexpected(`its picture ${sha256} is another one`);
  state.pictures += 1;
  return { kind: 'picture', sha256, bytes };
}

/** What was told before, found, and told after is the same. */
function checkEnd(state: State, end: End): void {
  const { manifest, manifestSha256, tables, pictures } = state;
  if (end.manifestSha256 !== manifestSha256) throw unexpected('its manifest is another one');
  if (end.pictures !== pictures) throw unexpected('it has not all pictures');
  const found = tables.map(({ name, hash, rows, bytes }) => ({
    ...{ name, rows, bytes },
    sha256: hash.digest('hex'),
  }));
  const told = end.tables.filter(({ bytes }) => bytes > 0);
  if (JSON.stringify(found) !== JSON.stringify(told)) throw unexpected('its rows are other ones');
  const isWhole = manifest?.tables.every(({ name, rows }, nth) => {
    const last = end.tables[nth];
    return last?.name === name && last.rows === rows;
  });
  if (isWhole !== true || end.tables.length !== manifest?.tables.length) {
    throw unexpected('it has not all rows');
  }
}
