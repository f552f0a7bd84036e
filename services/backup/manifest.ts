import { z } from 'zod';
import { BackupError } from './errors.ts';

/** Raised when older programs cannot read what is written. */
export const formatVersion = 1;

const count = z.int().min(0);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const tableName = z.string().regex(/^[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*$/);

const manifestShape = z.object({
  format: z.int().min(1),
  /** The version of the program that wrote it. */
  application: z.string(),
  postgres: z.string(),
  /** Of the snapshot that everything in it is of. */
  madeAt: z.iso.datetime(),
  cluster: z.object({ id: z.string().nullable(), epoch: count }),
  schema: z.array(z.object({ version: z.int().min(1), name: z.string(), checksum: sha256 })).min(1),
  tables: z.array(
    z.object({ name: tableName, columns: z.array(z.string().min(1)).min(1), rows: count }),
  ),
  sequences: z.array(
    z.object({ name: tableName, value: z.string().regex(/^-?\d+$/), isCalled: z.boolean() }),
  ),
  pictures: z.object({ isIncluded: z.boolean(), count }),
});

/** What a backup says of itself before its content. */
export type Manifest = z.infer<typeof manifestShape>;

const endShape = z.object({
  manifestSha256: sha256,
  tables: z.array(z.object({ name: tableName, rows: count, bytes: count, sha256 })),
  pictures: count,
});

/** What a backup says of itself after its content: what there has to be before it is believed. */
export type End = z.infer<typeof endShape>;

/** @throws BackupError `newer`, `damaged` */
export function parseManifest(bytes: Uint8Array): Manifest {
  const found = parseJson(bytes, 'manifest');
  const { format } = (found ?? {}) as { format?: unknown };
  if (typeof format === 'number' && format > formatVersion) {
    throw new BackupError(
      'newer',
      `the backup has format ${format}, and this program knows up to ${formatVersion}: update it`,
    );
  }
  return shaped(manifestShape, found, 'manifest');
}

/** @throws BackupError `damaged` */
export const parseEnd = (bytes: Uint8Array): End =>
  shaped(endShape, parseJson(bytes, 'end'), 'end');

export const toJson = (value: Manifest | End): Buffer =>
  Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`);

function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new BackupError('damaged', `the backup's ${what} cannot be read`, { cause });
  }
}

function shaped<T>(shape: z.ZodType<T>, found: unknown, what: string): T {
  const parsed = shape.safeParse(found);
  if (parsed.success) return parsed.data;
  throw new BackupError('damaged', `the backup's ${what} is not what a backup has`, {
    cause: parsed.error,
  });
}

/** The schema's version: that of the last migration. */
export const schemaVersion = ({ schema }: Pick<Manifest, 'schema'>): number =>
  schema.at(-1)?.version ?? 0;
