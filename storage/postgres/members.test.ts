import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createAuthority, openAuthority, type AuthorityFiles } from '#cluster/trust/ca.ts';
import { createRequest } from '#cluster/trust/certificates.ts';
import { dnsNameOf } from '#cluster/trust/names.ts';
import { createKey } from '#cluster/trust/x509.ts';
import { quiet } from '#test/log.ts';
import { noteOpen } from '#test/open.ts';
import { connectPostgres, type Database, type PostgresAddress } from './connect.ts';
import { startEmbedded, type EmbeddedPostgres, type MemberAccess } from './embedded.ts';
import { isUnavailable } from './errors.ts';
import { createMigrator } from './migrate.ts';
import { freePort } from '#test/ports.ts';
import { family } from '#test/family.ts';
import { failure, fingerprint, shownTo as tls, write, type Pems } from '#test/postgres-members.ts';

const migrations = join(import.meta.dirname, '../../migrations');
/** Prints how long a restart takes, for whoever wants to know. */
const report = process.env['REVENGE_TEST_REPORT'] === '1';

describe('embedded postgres, opened to members', function () {
  const clusterId = randomUUID();
  let dir: string;
  let ca: AuthorityFiles;
  let server: Pems;
  let mine: Pems;
  const closers: (() => Promise<unknown>)[] = [];

  before(async () => {
    ca = await createAuthority(clusterId, Date.now());
    server = await certificate(ca, 'one');
    mine = await certificate(ca, 'two');
  });
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'revenge-test-members-'));
    await chmod(dir, 0o755);
  });
  afterEach(async () => {
    while (closers.length > 0) await closers.pop()!();
    await rm(dir, { recursive: true, force: true });
  });

  const certificate = async (authority: AuthorityFiles, nodeId: string): Promise<Pems> => {
    const key = await createKey();
    const request = await createRequest(key, nodeId);
    const signer = openAuthority(authority, () => Date.now());
    const cert = await signer.sign(request, { clusterId, nodeId });
    return { ca: authority.certificates, cert, key };
  };
  const start = async (): Promise<EmbeddedPostgres> => {
    const embedded = await startEmbedded({ dataDir: dir, log: quiet, durable: false });
    const closed = noteOpen('startEmbedded');
    closers.push(() => embedded.close().then(closed));
    return embedded;
  };
  const use = async (address: PostgresAddress, max = 1): Promise<Database> => {
    const database = await connectPostgres({
      ...{ ...address, pool: { max }, log: quiet },
      ...{ connectTimeoutMs: 1_000, closeTimeoutMs: 500 },
    });
    closers.push(database.close);
    return database;
  };
  const local = ({ socket, owner: user }: EmbeddedPostgres, max = 1) =>
    use({ socket, database: 'revenge', user }, max);
  const member = (
    { port, user, password, database }: MemberAccess,
    pems: () => Pems = () => mine,
    serverName = dnsNameOf('one'),
  ): PostgresAddress => ({
    url: `postgres://${user}:${password}@127.0.0.1:${port}/${database}`,
    tls: () => ({ serverName, ...pems() }),
  });
  const open = async (embedded: EmbeddedPostgres, port?: number, tls = server) => {
    const listen = { host: '127.0.0.1', port: port ?? (await freePort()) };
    await embedded.openToMembers({ listen, tls });
    return embedded.admitMember('two');
  };

  it('lets a member work on what is there, as the owner and not as the superuser', async () => {
    const embedded = await start();
    const own = await local(embedded);
    await createMigrator({ sql: own.sql, dir: migrations, log: quiet }).up(3);
    const access = await open(embedded);
    const other = await use(member(access));
    const [session] = await other.sql`
      select current_user as acts, session_user as name, s.ssl, s.version,
             (select rolsuper from pg_roles where rolname = current_user) as super
      from pg_stat_ssl s where s.pid = pg_backend_pid()`;
    expect(session).to.deep.equal({
      ...{ acts: 'revenge', name: 'CN=two' },
      ...{ ssl: true, version: 'TLSv1.3', super: false },
    });
    // Whoever of both makes something, the other may change and drop it.
    await createMigrator({ sql: other.sql, dir: migrations, log: quiet }).up();
    await createMigrator({ sql: own.sql, dir: migrations, log: quiet }).to(2);
    await createMigrator({ sql: own.sql, dir: migrations, log: quiet }).up();
    await createMigrator({ sql: other.sql, dir: migrations, log: quiet }).to(0);
    for (const statement of [
      `copy (select 1) to program 'true'`,
      `select pg_read_file('PG_VERSION')`,
      `alter system set port = 1`,
      `create role somebody`,
      `create database another`,
      `set role postgres`,
    ]) {
      const error = await failure(other.sql.unsafe(statement));
      expect(error, statement).to.have.property('code', '42501');
    }
  });

  it('refuses everybody else', async () => {
    const embedded = await start();
    const access = await open(embedded);
    const { ca: ours } = mine;
    const third = await certificate(ca, 'three');
    const strange = await certificate(await createAuthority(clusterId, Date.now()), 'two');
    const name = dnsNameOf('one');
    const nameless = { ca: ours } as Pems;
    const plain = (to: Partial<MemberAccess>) => ({
      url: (member({ ...access, ...to }) as { url: string }).url,
    });
    const refused: [who: string, address: PostgresAddress, why: RegExp][] = [
      ['no certificate', member(access, () => nameless), /valid client certificate/],
      ['another CA', member(access, () => ({ ...strange, ca: ours })), /unknown ca|ECONNRESET/i],
      ["another member's certificate", member(access, () => third), /authentication failed/],
      ['a wrong password', member({ ...access, password: 'guess' }), /password authentication/],
      ['no password', member({ ...access, password: '' }), /password authentication|SASL/i],
      ['plain TCP', plain({}), /no encryption/],
      [
        'all members as one',
        member({ ...access, user: 'revenge_member' }),
        /authentication failed/,
      ],
      ['the superuser', member({ ...access, user: 'postgres' }), /no pg_hba.conf entry/],
      ['the superuser, plain', plain({ user: 'postgres' }), /no pg_hba.conf entry/],
      ['the owner', member({ ...access, user: 'revenge' }), /no pg_hba.conf entry/],
      ['another database', member({ ...access, database: 'postgres' }), /no pg_hba.conf entry/],
      ['a server of another name', member(access, () => mine, dnsNameOf('six')), /altnames/],
      ['a server of another CA', member(access, () => strange, name), /self-signed|unable to/],
    ];
    for (const [who, address, why] of refused) {
      const error = await failure((await use(address)).sql`select 1`);
      expect(String((error as Error).message), who).to.match(why);
    }
    const old = await tls({ port: access.port, ...mine, maxVersion: 'TLSv1.2' });
    expect(old).to.match(/protocol version/);
    expect(await (await use(member(access))).ping(2_000)).to.equal(true);
  });

  it('pauses its own node for a moment, and does nothing the second time', async () => {
    const embedded = await start();
    const own = await local(embedded, 3);
    await own.sql`create table written (id int primary key)`;
    const writer = write(own);
    await writer.some(20);
    const before = embedded.pid();
    const access = await open(embedded);
    const after = embedded.pid();
    expect(after).to.not.equal(before);
    await writer.some(20);
    await open(embedded, access.port);
    expect(embedded.pid()).to.equal(after);
    await writer.some(20);
    const { errors, outageMs } = await writer.stop();
    if (report) process.stdout.write(`      no write for ${outageMs} ms\n`);
    expect(errors.filter((error) => !isUnavailable(error))).to.deep.equal([]);
    const [{ count } = { count: 0 }] = await own.sql<{ count: number }[]>`
      select count(*) from written`;
    expect(count).to.be.at.least(writer.written());
  });

  it('is open again after a restart, and after its postmaster was killed', async () => {
    const first = await start();
    const access = await open(first);
    await first.close();
    const second = await start();
    const other = await use(member(access));
    await other.sql`select 1`;
    const killed = second.pid()!;
    process.kill(killed, 'SIGKILL');
    while ([killed, undefined].includes(second.pid())) await pause(20);
    while (!(await other.ping(500))) await pause(20);
    const own = await local(second);
    await own.sql`select 1`;
    expect(await open(second, access.port)).to.include({ port: access.port, user: access.user });
  });

  it('shows a renewed certificate without a restart', async () => {
    const embedded = await start();
    const access = await open(embedded);
    let asked = 0;
    const pems = () => {
      asked++;
      return mine;
    };
    const before = await use(member(access, pems));
    await before.sql`select 1`;
    const pid = embedded.pid();
    const renewed = await certificate(ca, 'one');
    const listen = { host: '127.0.0.1', port: access.port };
    await embedded.openToMembers({ listen, tls: renewed });
    expect(embedded.pid()).to.equal(pid);
    expect(await tls({ port: access.port, ...mine })).to.equal(fingerprint(renewed.cert));
    const kept = asked;
    await before.sql`select 1`;
    expect(asked).to.equal(kept);
    mine = await certificate(ca, 'two');
    const after = await use(member(access, pems));
    await after.sql`select 1`;
    expect(asked).to.be.greaterThan(kept);
  });

  it('closes, and tells its members by hanging up', async () => {
    const embedded = await start();
    const access = await open(embedded);
    const other = await use(member(access));
    const own = await local(embedded);
    await other.sql`select 1`;
    await embedded.closeToMembers();
    expect(isUnavailable(await failure(other.sql`select 1`))).to.equal(true);
    while (!(await own.ping(500))) await pause(20);
    const [row] = await own.sql`
      select current_setting('listen_addresses') as listen, rolcanlogin as login
      from pg_roles where rolname = 'revenge_member'`;
    expect(row).to.deep.equal({ listen: '', login: false });
    expect(await readdir(join(dir, 'pg'))).to.not.include.members(['server.pem']);
    await embedded.closeToMembers();
    const again = await open(embedded, access.port);
    expect(again.password).to.not.equal(access.password);
    // Until the pool has noticed that there is a server again, it says that there is none.
    let refusal = await failure(other.sql`select 1`);
    while (isUnavailable(refusal)) refusal = await failure(other.sql`select 1`);
    expect(refusal).to.have.property('code', '28P01');
    expect(await (await use(member(again))).ping(2_000)).to.equal(true);
  });

  it('lets the node and its members end sessions of each other', async () => {
    const embedded = await start();
    const access = await open(embedded);
    const [one, own] = [await use(member(access)), await local(embedded)];
    const [row] = await one.sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
    const [ended] = await own.sql`select pg_terminate_backend(${row!.pid}) as yes`;
    expect(ended).to.deep.equal({ yes: true });
  });

  it('changes the password of a member that is admitted again, and keeps no password', async () => {
    const embedded = await start();
    const access = await open(embedded);
    const renewed = await embedded.admitMember('two');
    expect(await failure((await use(member(access))).sql`select 1`)).to.have.property(
      'code',
      '28P01',
    );
    expect(await (await use(member(renewed))).ping(2_000)).to.equal(true);
    const secrets = [join(dir, 'pg-members.json'), join(dir, 'pg/server.pem')];
    for (const path of secrets) expect((await stat(path)).mode & 0o777, path).to.equal(0o600);
    expect(await readFile(join(dir, 'pg-members.json'), 'utf8')).to.not.include(renewed.password);
    const long = await failure(embedded.admitMember('n'.repeat(61)));
    expect(long).to.be.instanceOf(RangeError);
  });

  it('shuts out a member that was removed, and nothing changes for the others', async () => {
    const embedded = await start();
    const own = await local(embedded);
    await own.sql`create table written (id int primary key)`;
    const gone = await open(embedded);
    const third = await certificate(ca, 'n.3');
    const kept = await embedded.admitMember('n.3');
    const removed = await use(member(gone));
    const living = await use(
      member(kept, () => third),
      3,
    );
    await removed.sql`select 1`;
    const writer = write(living);
    await writer.some(20);
    const [{ pid } = { pid: 0 }] = await living.sql<{ pid: number }[]>`
      select pg_backend_pid() as pid`;
    expect(await embedded.dismissMembers(['two', 'long-gone'])).to.equal(1);
    expect(await embedded.dismissMembers(['two', 'long-gone'])).to.equal(0);
    // Its session ends, and neither its password nor its certificate opens another.
    let refusal = await failure(removed.sql`select 1`);
    while (isUnavailable(refusal)) refusal = await failure(removed.sql`select 1`);
    expect(refusal).to.have.property('code').that.is.oneOf(['28000', '28P01']);
    await writer.some(20);
    expect((await writer.stop()).errors).to.deep.equal([]);
    const there = await own.sql`select from pg_stat_activity where pid = ${pid}`;
    expect(there).to.have.length(1);
    expect(await (await use(member(kept, () => third))).ping(2_000)).to.equal(true);
  });

  it('stays as it was when it cannot open', async () => {
    const embedded = await start();
    const own = await local(embedded);
    const pid = embedded.pid();
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    try {
      expect(await failure(open(embedded, port))).to.have.property('code', 'EADDRINUSE');
      const mixed = { ...server, key: mine.key };
      expect(String(await failure(open(embedded, undefined, mixed)))).to.include('does not belong');
      expect(embedded.pid()).to.equal(pid);
      const access = await open(embedded);
      expect(await failure(open(embedded, port))).to.have.property('code', 'EADDRINUSE');
      expect(await (await use(member(access))).ping(2_000)).to.equal(true);
      while (!(await own.ping(500))) await pause(20);
    } finally {
      taken.close();
    }
  });

  it('serves its own node when the port for members is taken at its start', async () => {
    const first = await start();
    const access = await open(first);
    await first.close();
    const taken = createServer().listen(access.port, '127.0.0.1');
    await once(taken, 'listening');
    const second = await start();
    const own = await local(second);
    expect(await own.ping(2_000)).to.equal(true);
    await new Promise((resolve) => taken.close(resolve));
    const again = await open(second, access.port);
    while (!(await own.ping(500))) await pause(20);
    expect(await (await use(member(again))).ping(2_000)).to.equal(true);
  });

  it('hands over what the superuser made before there was an owner', async () => {
    const embedded = await start();
    const admin = await use({ socket: embedded.socket });
    await admin.sql.unsafe(`alter database revenge owner to postgres`);
    await createMigrator({ sql: admin.sql, dir: migrations, log: quiet }).up();
    await admin.sql.unsafe(`
      create type mood as enum ('good'); create domain whole as int; create type pair as (a int);
      create table parted (id serial, at int generated always as identity) partition by list (id);
      create table parted_1 partition of parted for values in (1); create view seen as select 1;
      create procedure nothing() language sql as ''`);
    await embedded.close();
    const again = await start();
    const own = await local(again);
    const rest = await own.sql`
      select oid::regclass::text as name from pg_class
      where relowner = 'postgres'::regrole and oid >= 16384
        and relnamespace <> 'pg_toast'::regnamespace
      union all select oid::regprocedure::text from pg_proc p
      where proowner = 'postgres'::regrole and oid >= 16384
        and not exists (select from pg_depend where objid = p.oid and deptype = 'e')
      union all select oid::regtype::text from pg_type t
      where typowner = 'postgres'::regrole and oid >= 16384
        and not exists (select from pg_depend where objid = t.oid and deptype = 'e')
      union all select oid::regnamespace::text from pg_namespace
      where nspowner = 'postgres'::regrole and oid >= 16384`;
    expect([...rest]).to.deep.equal([]);
    await createMigrator({ sql: own.sql, dir: migrations, log: quiet }).to(1);
  });

  it('is found by a member at whichever of its addresses it is', async () => {
    const embedded = await start();
    const access = await open(embedded);
    const { url, tls: how } = member(access) as { url: string; tls: never };
    const many = url.replace('127.0.0.1:', `127.0.0.1:1,localhost:${access.port},127.0.0.1:`);
    const other = await use({ url: many, tls: how });
    expect([...(await other.sql`select 1 as one`)]).to.deep.equal([{ one: 1 }]);
  });

  it('is found again by a member when its address and password have changed', async () => {
    const embedded = await start();
    let access = await open(embedded);
    const { url, tls: how } = member(access) as { url: string; tls: never };
    const latest = () => (member(access) as { url: string }).url;
    const other = await use({ url, tls: how, latest });
    await other.sql`select 1`;
    const listen = { host: '127.0.0.1', port: await freePort() };
    await embedded.openToMembers({ listen, tls: server });
    access = await embedded.admitMember('two');
    while (!(await other.ping(500))) await pause(20);
    const [row] = await other.sql`select inet_server_port() as port`;
    expect(row).to.deep.equal({ port: listen.port });
  });

  it('is given up by a member when it freezes, and found again', async () => {
    const embedded = await start();
    const other = await use(member(await open(embedded)));
    await other.sql`select 1`;
    const pids = await family(embedded.pid()!);
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    try {
      expect(isUnavailable(await failure(other.sql`select 1`))).to.equal(true);
    } finally {
      for (const pid of pids) process.kill(pid, 'SIGCONT');
    }
    while (!(await other.ping(500))) await pause(20);
  });
});
