import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import type { Log } from '../log.ts';
import { connectPostgres, type Sql } from './connect.ts';

/** Owns the database and whatever the program makes in it; it is no superuser. */
export const ownerRole = 'revenge';
/** Whoever is in it may come over TCP; each of the other nodes has a role of its own there. */
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

/** Makes the group of members, in which nobody is yet. It is none to log in as. */
export async function ensureMembers(sql: Sql): Promise<void> {
  const [role] = await sql`select from pg_roles where rolname = ${memberRole}`;
  if (!role) await sql`create role ${sql(memberRole)}`;
  await sql`alter role ${sql(memberRole)} nologin password null`;
  await sql`grant ${sql(ownerRole)} to ${sql(memberRole)}`;
}

/** PostgreSQL cuts longer names (NAMEDATALEN). */
const nameMax = 63;

/**
 * The role of a member: its certificate's distinguished name (RFC 2253), so that PostgreSQL can
 * compare the two, and a name that none of the server's own roles has.
 * @throws RangeError for an id that is too long, or could not stand in a certificate
 */
function roleOf(nodeId: string): string {
  const name = `CN=${nodeId}`;
  if (name.length <= nameMax && /^[A-Za-z0-9._-]+$/.test(nodeId)) return name;
  throw new RangeError(`"${nodeId}" cannot be a member of the database: up to 60 characters`);
}

/**
 * Lets one member in by this password, and no longer by one of before. Every session of it acts as
 * the owner from its first statement, so what a member's migration makes belongs to all.
 * @throws RangeError for an id that cannot be a role's name
 */
export async function admitMember(
  sql: Sql,
  { nodeId, password, connections }: { nodeId: string; password: string; connections: number },
): Promise<string> {
  const name = roleOf(nodeId);
  const quoted = `"${name}"`;
  const verifier = scramVerifier(password, randomBytes(16));
  const [role] = await sql`select from pg_roles where rolname = ${name}`;
  await sql.begin(async (tx) => {
    if (!role) await tx.unsafe(`create role ${quoted}`);
    await tx.unsafe(`grant ${memberRole} to ${quoted}`);
    await tx.unsafe(
      `alter role ${quoted} login nosuperuser nocreatedb nocreaterole noreplication
         connection limit ${connections} password '${verifier}'`,
    );
    await tx.unsafe(`alter role ${quoted} set role = '${ownerRole}'`);
  });
  return name;
}

/**
 * Lets these no more in, and ends their sessions; those of the others are not touched. Resolves to
 * how many of them there were.
 */
export async function dismissMembers(
  sql: Sql,
  isMeant: (nodeId: string) => boolean,
): Promise<number> {
  const roles = await sql<{ name: string }[]>`
    select member.rolname as name
    from pg_auth_members
    join pg_roles member on member.oid = member
    join pg_roles of on of.oid = roleid
    where of.rolname = ${memberRole} and member.rolname like 'CN=%'`;
  const gone = roles.map(({ name }) => name).filter((name) => isMeant(name.slice('CN='.length)));
  for (const name of gone) {
    // Names of ours have no quotes in them.
    await sql.unsafe(`alter role "${name}" nologin password null`);
    await sql.unsafe(`revoke ${memberRole} from "${name}"`);
    await sql`select pg_terminate_backend(pid) from pg_stat_activity where usename = ${name}`;
  }
  return gone.length;
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
