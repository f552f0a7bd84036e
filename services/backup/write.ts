import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { copyOut, prepareCopy, quoted } from '#storage/postgres/copy.ts';
import {
  listSequences,
  listTables,
  readSequence,
  type CatalogTable,
} from '#storage/postgres/copy-catalog.ts';
import { readSchema } from '#storage/postgres/copy-schema.ts';
import type { Queryable, Sql, Tx } from '#storage/postgres/connect.ts';
import { BackupError } from './errors.ts';
import { compressor, wrap } from './frame.ts';
import { formatVersion, toJson, type End, type Manifest } from './manifest.ts';
import { listOriginals } from './pictures.ts';
import { seal, type Lock } from './seal.ts';
import { packTar, type Entry } from './tar.ts';
import { fateOfSequence, tables } from './tables.ts';

/** Where pictures are that cannot be made again; undefined for one that is not here. */
export type ReadPicture = (sha256: string) => Promise<Uint8Array | undefined>;

export interface WriteOptions {
  readonly sql: Sql;
  /** Undefined leaves pictures out. */
  readonly readPicture: ReadPicture | undefined;
  /** The program's version. */
  readonly application: string;
  /** Undefined: whoever has the file can read it. */
  readonly lock: Lock | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told every few megabytes. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

export interface Progress {
  readonly table: string;
  readonly rows: number;
  readonly totalRows: number;
}

/** What was written. */
export interface Written {
  readonly manifest: Manifest;
  readonly end: End;
  /** Pictures that are on record and not on this node. */
  readonly lackingPictures: number;
}

/** Takes the bytes of a backup, and resolves once it has them all. */
export type Sink = (bytes: AsyncIterable<Uint8Array>) => Promise<void>;

/**
 * Writes a backup of the database as it is at one moment, while it is used; of a table only a few
 * megabytes are in memory at a time.
 * @throws BackupError `refused` for a database that holds nothing yet, or what is not known here
 */
export async function writeBackup(options: WriteOptions, sink: Sink): Promise<Written> {
  const { sql, lock, signal } = options;
  const all = await listTables(sql);
  // Of a later program's: without it the backup would be whole in name only.
  const unknown = all.find(({ name }) => tables[name] === undefined)?.name;
  if (unknown !== undefined) {
    throw new BackupError(
      'refused',
      `the database has a table ${unknown}, which this program does not know: use the latest one ` +
        'that runs here',
    );
  }
  const found = all.filter(({ name }) => tables[name]?.fate === 'content');
  if (found.length === 0) throw new BackupError('refused', 'the database holds nothing yet');
  return sql.begin('isolation level repeatable read read only', async (tx) => {
    await prepareCopy(tx);
    // Before there is a snapshot: what it shows of them is then what they are until the end.
    await tx.unsafe(
      `lock table ${found.map(({ name }) => quoted(name)).join()} in access share mode`,
    );
    const manifest = await describe(tx, found, options);
    const ledger: Ledger = { tables: [], pictures: 0, lacking: 0, rows: 0 };
    const archive = packTar(
      pieces({ ...options, tx, manifest, ledger }),
      new Date(manifest.madeAt),
    );
    await pipeline(
      Readable.from(archive, { objectMode: false }),
      compressor(),
      (compressed: AsyncIterable<Uint8Array>) => {
        const whole = wrap(compressed);
        return sink(lock === undefined ? whole : seal(whole, lock));
      },
      signal === undefined ? {} : { signal },
    );
    return { manifest, end: endOf(manifest, ledger), lackingPictures: ledger.lacking };
  });
}

async function describe(
  tx: Tx,
  found: readonly CatalogTable[],
  { application, readPicture }: WriteOptions,
): Promise<Manifest> {
  const [now] = await tx<{ madeAt: Date; postgres: string }[]>`
    select now() as "madeAt", current_setting('server_version') as postgres`;
  const counted = [];
  for (const { name, columns } of found) {
    counted.push({ name, columns: [...columns], rows: await countRows(tx, name) });
  }
  const originals = readPicture === undefined ? [] : await listOriginals(tx);
  return {
    format: formatVersion,
    application,
    postgres: now!.postgres,
    madeAt: now!.madeAt.toISOString(),
    cluster: await readCluster(tx),
    schema: [...(await readSchema(tx))],
    tables: counted,
    sequences: await contentSequences(tx),
    pictures: { isIncluded: readPicture !== undefined, count: originals.length },
  };
}

const whereOf = (name: string): string => {
  const fate = tables[name];
  return (fate?.fate === 'content' ? fate.where : undefined) ?? 'true';
};

/** The rows of a table that belong in a backup. */
export async function countRows(sql: Queryable, name: string): Promise<number> {
  const [row] = await sql.unsafe<{ rows: number }[]>(
    `select count(*) as rows from ${quoted(name)} where ${whereOf(name)}`,
  );
  return row!.rows;
}

/** Which cluster it is of; the epoch tells a later restore what all its clocks have passed. */
async function readCluster(tx: Tx): Promise<Manifest['cluster']> {
  const [{ there } = { there: false }] = await tx<{ there: boolean }[]>`
    select to_regclass('shared.cluster') is not null as there`;
  if (!there) return { id: null, epoch: 0 };
  const [owner] = await tx<{ id: string; epoch: number }[]>`
    select cluster_id as id, epoch from shared.cluster`;
  return owner ?? { id: null, epoch: 0 };
}

async function contentSequences(tx: Tx): Promise<Manifest['sequences']> {
  const found = [];
  for (const { name, table } of await listSequences(tx)) {
    if (fateOfSequence(name, table) !== 'content') continue;
    found.push({ name, ...(await readSequence(tx, name)) });
  }
  return found;
}

interface Ledger {
  readonly tables: End['tables'];
  pictures: number;
  lacking: number;
  rows: number;
}

const endOf = (manifest: Manifest, { tables: done, pictures }: Ledger): End => ({
  manifestSha256: createHash('sha256').update(toJson(manifest)).digest('hex'),
  tables: done,
  pictures,
});

type Work = WriteOptions & { tx: Tx; manifest: Manifest; ledger: Ledger };

async function* pieces(work: Work): AsyncGenerator<Entry> {
  const { manifest, ledger } = work;
  yield { name: 'manifest.json', bytes: toJson(manifest) };
  for (const table of manifest.tables) yield* tablePieces(work, table);
  if (work.readPicture !== undefined) yield* picturePieces(work, work.readPicture);
  yield { name: 'end.json', bytes: toJson(endOf(manifest, ledger)) };
}

/** So much of a table is in memory, or one row if that is more. */
const pieceBytes = 4 * 1024 * 1024;
const lineFeed = 0x0a;

async function* tablePieces(
  { tx, ledger, manifest, onProgress }: Work,
  table: Manifest['tables'][number],
): AsyncGenerator<Entry> {
  const { name } = table;
  const hash = createHash('sha256');
  const totalRows = manifest.tables.reduce((sum, { rows }) => sum + rows, 0);
  let [rows, bytes, number] = [0, 0, 0];
  const rowsOf = copyOut(tx, { table: name, columns: table.columns }, whereOf(name));
  for await (const piece of wholeRows(rowsOf)) {
    hash.update(piece);
    bytes += piece.length;
    rows += countLines(piece);
    yield { name: `tables/${name}/${String(++number).padStart(6, '0')}.copy`, bytes: piece };
    onProgress?.({ table: name, rows: ledger.rows + rows, totalRows });
  }
  ledger.rows += rows;
  ledger.tables.push({ name, rows, bytes, sha256: hash.digest('hex') });
}

/** Gathers chunks to pieces that end with a row. */
async function* wholeRows(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  let heldBytes = 0;
  for await (const chunk of chunks) {
    held.push(chunk);
    heldBytes += chunk.length;
    if (heldBytes < pieceBytes) continue;
    const all = Buffer.concat(held, heldBytes);
    const end = all.lastIndexOf(lineFeed) + 1;
    if (end > 0) yield all.subarray(0, end);
    held = [all.subarray(end)];
    heldBytes = all.length - end;
  }
  if (heldBytes > 0) yield Buffer.concat(held, heldBytes);
}

/** Rows in the text format: a line feed within a value is written otherwise. */
export function countLines(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(lineFeed); at !== -1; at = bytes.indexOf(lineFeed, at + 1))
    lines += 1;
  return lines;
}

async function* picturePieces(
  { tx, ledger }: Work,
  readPicture: ReadPicture,
): AsyncGenerator<Entry> {
  for (const sha256 of await listOriginals(tx)) {
    const bytes = await readPicture(sha256);
    if (bytes === undefined) ledger.lacking += 1;
    else {
      ledger.pictures += 1;
      yield { name: `pictures/${sha256}`, bytes };
    }
  }
}
