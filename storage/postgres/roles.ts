import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import type { Log } from '../log.ts';
import { connectPostgres, type Sql } from './connect.ts';

/** Owns the database and whatever the program makes in it; it is no superuser. */
export const ownerRole = 'revenge';
/** What other nodes log in as; from then on they act as the owner. */
export const memberRole = 'revenge_member';
/** The superuser, for what the two above may not do. Only the socket leads to it. */
const superuser = 'postgres';

/** Runs `work` as the superuser, over the socket. */
export async function asSuperuser<T>(
  at: { socket: string; database: string; log: Log },
  work: (sql: Sql) => Promise<T>,
): Promise<T> {
  await using admin = await connectPostgres({ ...at, user: superuser, pool: { max: 1 } });
  return await work(admin.sql);
}

/** Makes the database and the role that owns it, unless they are there. */
export async function ensureDatabase(socket: string, name: string, log: Log): Promise<void> {
  await asSuperuser({ socket, database: superuser, log }, async (sql) => {
    const [role] = await sql`select from pg_roles where rolname = ${ownerRole}`;
    if (!role) await sql`create role ${sql(ownerRole)} login`;
    // A node counts its own connections, whichever role they came as.
    await sql`grant pg_read_all_stats to ${sql(ownerRole)}`;
    // A leader that hangs in a transaction is ended by its successor, whichever role either came
    // as.
    await sql`grant pg_signal_backend to ${sql(ownerRole)}`;
    const [found] = await sql<{ owner: string }[]>`
      select pg_get_userbyid(datdba) as owner from pg_database where datname = ${name}`;
    if (!found) await sql`create database ${sql(name)} owner ${sql(ownerRole)}`;
    else if (found.owner !== ownerRole) {
      await sql`alter database ${sql(name)} owner to ${sql(ownerRole)}`;
    }
  });
  await asSuperuser({ socket, database: name, log }, async (sql) => {
    const count = await handOver(sql);
    if (count > 0) log.info('what is in the database has a new owner', { count, ownerRole });
  });
}

/** What initdb makes has lower numbers (src/include/access/transam.h, FirstNormalObjectId). */
const firstOwnOid = 16_384;

/**
 * Gives the owner what the superuser has made in this database, when the superuser was still all
 * there was. Extensions and what belongs to them stay: no command gives an extension away.
 */
async function handOver(sql: Sql): Promise<number> {
  const statements = await sql<{ statement: string }[]>`
    select format('alter %s %s owner to %I', what.type, what.identity, ${ownerRole}::text)
             as statement
    from (
      select 'pg_namespace'::regclass as class, oid, nspowner as owner, false as linked
        from pg_namespace
      union all
      select 'pg_class'::regclass, oid, relowner, relkind = 'S'
        from pg_class where relkind in ('r', 'p', 'v', 'm', 'f', 'S')
      union all
      select 'pg_proc'::regclass, oid, proowner, false from pg_proc
      union all
      select 'pg_type'::regclass, t.oid, typowner, false
        from pg_type t left join pg_class c on c.oid = t.typrelid
        where typtype in ('d', 'e', 'r') or c.relkind = 'c'
    ) made
    cross join pg_identify_object(made.class, made.oid, 0) as what
    where made.oid >= ${firstOwnOid}
      and made.owner = ${superuser}::regrole
      and not exists (
        select from pg_depend d
        where d.classid = made.class and d.objid = made.oid and d.objsubid = 0
          -- A column's sequence goes with its table.
          and (d.deptype in ('e', 'i') or (made.linked and d.deptype = 'a'))
      )
      and what.schema is distinct from 'pg_toast'
      and what.identity !~ '^pg_(temp|toast)'
    order by made.class = 'pg_class'::regclass desc, made.oid`;
  if (statements.length === 0) return 0;
  await sql.begin(async (tx) => {
    for (const { statement } of statements) await tx.unsafe(statement);
  });
  return statements.length;
}

/**
 * Makes the role that members log in as, or brings it up to date. Every session of it acts as the
 * owner from its first statement, so what a member's migration makes belongs to all.
 */
export async function ensureMember(
  sql: Sql,
  member: { password: string; connections: number },
): Promise<void> {
  const [role] = await sql`select from pg_roles where rolname = ${memberRole}`;
  if (!role) await sql`create role ${sql(memberRole)}`;
  const verifier = scramVerifier(member.password, randomBytes(16));
  await sql.begin(async (tx) => {
    await tx`grant ${tx(ownerRole)} to ${tx(memberRole)}`;
    await tx.unsafe(
      `alter role ${memberRole} login nosuperuser nocreatedb nocreaterole noreplication
         connection limit ${member.connections} password '${verifier}'`,
    );
    await tx.unsafe(`alter role ${memberRole} set role = '${ownerRole}'`);
  });
}

/** Lets no member in any more; sessions that are open stay until they end. */
export async function dismissMember(sql: Sql): Promise<void> {
  const [role] = await sql`select from pg_roles where rolname = ${memberRole}`;
  if (role) await sql`alter role ${sql(memberRole)} nologin password null`;
}

const iterations = 4_096;

/**
 * What PostgreSQL keeps of a password (RFC 5803): made here, the password itself stands in no
 * statement that could be logged. It is ASCII, so SASLprep leaves it as it is.
 */
export function scramVerifier(password: string, salt: Buffer): string {
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const keyed = (name: string) => createHmac('sha256', salted).update(name).digest();
  const stored = createHash('sha256').update(keyed('Client Key')).digest('base64');
  const server = keyed('Server Key').toString('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${stored}:${server}`;
}
