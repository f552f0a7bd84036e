import { expect } from 'chai';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAddress, type PostgresAddress } from '#storage/postgres/address.ts';
import { quiet } from '#test/log.ts';
import type { Config } from './config/keys.ts';
import {
  forgetMemberDatabase,
  memberAddress,
  openDatabase,
  readMemberDatabase,
  readSharedDatabase,
  saveMemberDatabase,
  saveSharedDatabase,
  type MemberDatabase,
} from './database.ts';

const member: MemberDatabase = {
  hosts: ['192.0.2.7', 'box.lan', '2001:db8::7', 'fe80::7%eth0'],
  port: 6_432,
  user: 'CN=two',
  password: 'a/b@c:d?e',
  database: 'revenge',
  serverName: 'one.node.revenge.internal',
};

describe('the database of the cluster a node has joined', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'revenge-test-database-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const config = (url?: string) =>
    ({
      'data.dir': dir,
      'database.url': url,
      'cluster.database.bind_addr': '127.0.0.1:0',
      'database.pool.max_conns': 2,
      'database.pool.min_conns': 0,
      'database.pool.max_lifetime': 60_000,
      'database.pool.max_idle': 60_000,
    }) as Config;
  const urlOf = async (configured?: string) => {
    await using open = await openDatabase(config(configured), quiet);
    expect(open).to.include({ isEmbedded: false, embedded: undefined });
    return 'url' in open.address ? open.address.url : undefined;
  };

  it('is kept where only its owner reads it, until it is forgotten', async () => {
    expect(await readMemberDatabase(dir)).to.equal(undefined);
    await saveMemberDatabase(dir, member);
    expect(await readMemberDatabase(dir)).to.deep.equal(member);
    expect((await stat(join(dir, 'cluster/database.json'))).mode & 0o777).to.equal(0o600);
    await forgetMemberDatabase(dir);
    expect(await readMemberDatabase(dir)).to.equal(undefined);
  });

  it('is known to be of a node before that one has said how to reach it', async () => {
    await saveSharedDatabase(dir, member.serverName);
    const { serverName } = member;
    expect(await readSharedDatabase(dir)).to.deep.equal({ serverName, access: undefined });
    const error = await openDatabase(config(), quiet).catch((caught: Error) => caught);
    expect(error).to.have.property('message').that.includes('start the node first');
    let asked = 0;
    const ask = async () => {
      asked += 1;
      return member;
    };
    await using open = await openDatabase(config(), quiet, { ask });
    expect([asked, open.isEmbedded]).to.deep.equal([1, false]);
    await saveMemberDatabase(dir, { ...member, user: 'revenge_member' });
    expect(await readSharedDatabase(dir)).to.have.property('access', undefined);
  });

  it('is not guessed from a file that says something else', async () => {
    await mkdir(join(dir, 'cluster'));
    for (const text of ['', '{}', JSON.stringify({ ...member, hosts: [] })]) {
      await writeFile(join(dir, 'cluster/database.json'), text);
      const error = await readMemberDatabase(dir).catch((caught: Error) => caught);
      expect(error).to.be.instanceOf(Error).with.property('message').that.includes('join again');
    }
  });

  it('becomes an address that means all of its hosts, and takes writes', () => {
    const address = memberAddress(dir, member);
    const { hosts, url, sessions } = parseAddress(address);
    expect(hosts).to.deep.equal(member.hosts.map((host) => ({ host, port: 6_432 })));
    expect(sessions).to.equal('read-write');
    const { username, password, pathname } = new URL(url);
    expect([...[username, password].map(decodeURIComponent), pathname]).to.deep.equal([
      member.user,
      member.password,
      '/revenge',
    ]);
  });

  it('gives way to a configured one, and goes before one of our own', async () => {
    await saveMemberDatabase(dir, member);
    expect(await urlOf('postgres://me@elsewhere/x')).to.equal('postgres://me@elsewhere/x');
    expect(await urlOf()).to.include('@192.0.2.7:6432,box.lan:6432,[');
  });

  it('follows what is written while it is used', async () => {
    const { latest, tls } = memberAddress(dir, member) as Exclude<
      PostgresAddress,
      { socket: string }
    >;
    expect(await latest!()).to.include('@192.0.2.7:6432,');
    await saveMemberDatabase(dir, { ...member, hosts: ['other'], serverName: 'two' });
    expect(await latest!()).to.include('@other:6432/');
    for (const round of ['1', '2']) {
      for (const name of ['ca.crt', 'node.crt', 'node.key']) {
        await writeFile(join(dir, 'cluster', name), `${name} ${round}`);
      }
      const [ca, cert, key] = ['ca.crt', 'node.crt', 'node.key'].map((name) => `${name} ${round}`);
      expect(await tls!()).to.deep.equal({ serverName: 'two', ca, cert, key });
    }
  });
});
