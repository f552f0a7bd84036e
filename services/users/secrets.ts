import { randomBytes } from 'node:crypto';
import type { Queryable } from '#storage/postgres/connect.ts';
import type { Random } from './opaque.ts';

/**
 * The secret of that name, made at first use and the same on every node of the cluster. Nodes that
 * ask at once agree, because the first insert wins and all read what is stored.
 */
export async function ensureSecret(
  sql: Queryable,
  name: string,
  options: { sizeBytes: number; random?: Random },
): Promise<Uint8Array> {
  const fresh = Buffer.from((options.random ?? randomBytes)(options.sizeBytes));
  await sql`
    insert into shared.secrets (name, value) values (${name}, ${fresh})
    on conflict (name) do nothing`;
  const [row] = await sql<{ value: Buffer }[]>`
    select value from shared.secrets where name = ${name}`;
  if (row === undefined) throw new Error(`secret "${name}" vanished while it was made`);
  return new Uint8Array(row.value);
}
