import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { connectPostgres, type Sql } from '#storage/postgres/connect.ts';
import { listTables } from '#storage/postgres/copy-catalog.ts';
import { createMigrator } from '#storage/postgres/migrate.ts';
import {
  backupWorld,
  contentOf,
  countIn as count,
  faultOf,
  migrationsDir,
  restoreWish,
  type BackupWorld,
} from '#test/backup.ts';
import { quiet } from '#test/log.ts';
import { fillOddly, oddIds, uploadedSha256 } from '#test/odd-content.ts';
import type { TestDatabase } from '#test/postgres.ts';
import { readManifest, verifyBackup } from './read.ts';
import { planRestore, restoreBackup, type RestoreOptions } from './restore.ts';
import { longest } from './settle.ts';
import { tables } from './tables.ts';
import { listConnected } from './target.ts';

const [ours, theirs] = [
  '01890000-0000-7000-8000-00000000000a',
  '01890000-0000-7000-8000-00000000000b',
];

describe('restoring a backup', function () {
  let world: BackupWorld;
  let dir: string;
  let source: TestDatabase;
  let file: string;
  const pictures = new Map<string, string>();

  before(async () => {
    world = await backupWorld();
    ({ dir } = world);
    source = await world.database();
    await fillOddly(source.sql);
    await source.sql`insert into shared.cluster (cluster_id, epoch) values (${ours}, 5)`;
    ({ path: file } = await world.backUp(source.sql, 'whole.tar.zst'));
  });
  after(() => world.close());

  const database = (options?: { migrate?: boolean }) => world.database(options);
  const backUp: BackupWorld['backUp'] = (sql, name, options) => world.backUp(sql, name, options);
  const wish = (sql: Sql, more: Partial<RestoreOptions> = {}): RestoreOptions =>
    restoreWish(sql, file, {
      savePicture: async (sha256, bytes) =>
        void pictures.set(sha256, Buffer.from(bytes).toString()),
      ...more,
    });

  /** What a restore adds or changes by itself. */
  const expected = async () => {
    const content = await contentOf(source.sql);
    const empty = Object.entries(content).filter(([, rows]) => rows.length === 0);
    expect(empty, 'a table without a row in test/odd-content.ts').to.deep.equal([]);
    return content;
  };
  const compare = async (sql: Sql) => {
    const [wanted, found] = [await expected(), await contentOf(sql)];
    for (const [name, rows] of Object.entries(wanted)) {
      if (name === 'shared.jobs') continue;
      const brought = found[name]?.filter((row) => !row.includes('backup.restored'));
      expect(brought, name).to.deep.equal(rows);
    }
    const jobs = await sql<{ key: string | null; state: string; attempt: number }[]>`
      select key, state, attempt from shared.jobs order by name, key nulls last`;
    expect(jobs.map(({ key, state, attempt }) => [key, state, attempt])).to.deep.equal([
      ['one', 'waiting', 0],
      ['two', 'waiting', 1],
      [null, 'dead', 3],
      ['cron', 'waiting', 0],
    ]);
  };

  it('brings every row into an empty database', async () => {
    const target = await database({ migrate: false });
    const plan = await planRestore(wish(target.sql));
    expect(plan.refusal).to.equal(undefined);
    expect(plan.target).to.deep.include({ schemaVersion: 0, clusterId: null, isUsed: false });
    await restoreBackup(wish(target.sql));
    await compare(target.sql);
    const { pending } = await createMigrator({
      ...{ sql: target.sql, dir: migrationsDir, log: quiet },
    }).status();
    expect(pending).to.deep.equal([]);
  });

  it('brings every row into a database that a node has started on', async () => {
    const target = await database();
    await target.sql`insert into shared.secrets (name, value) values ('jwt', '\\x00')`;
    await target.sql`insert into shared.setup (token_hash) values ('\\x00')`;
    await restoreBackup(wish(target.sql));
    await compare(target.sql);
  });

  it('keeps the cluster that uses the database, and begins a new epoch of its clock', async () => {
    const target = await database();
    const { sql } = target;
    await sql`insert into shared.cluster (cluster_id, epoch) values (${theirs}, 9)`;
    await sql`select setval('shared.clock_epoch', 40)`;
    await sql`update shared.leadership set epoch = 9, term = 3, node_id = 'n7'`;
    await sql`
      insert into shared.cluster_nodes
        (node_id, cluster_id, name, kind, addresses, boot_epoch, version)
      values ('n7', ${theirs}, 'attic', 'node', '{}', 4, '0')`;
    await sql`insert into shared.invalidation_outbox (tags) values ('{before}')`;
    const foreign = await faultOf(restoreBackup(wish(sql)));
    expect(foreign).to.match(/refused: the database belongs to the cluster .*0b.*cluster release/);
    await restoreBackup(wish(sql, { clusterId: theirs }));
    await compare(sql);
    const [owner] = await sql`select cluster_id as id, epoch from shared.cluster`;
    expect(owner).to.deep.equal({ id: theirs, epoch: 41 });
    const [leader] = await sql`select epoch, term, node_id as node from shared.leadership`;
    expect(leader, 'who led before leads no more').to.deep.equal({ epoch: 41, term: 0, node: '' });
    expect(await count(sql, 'shared.cluster_nodes')).to.equal(1);
    expect(await count(sql, 'shared.invalidation_outbox')).to.equal(0);
  });

  it('claims an empty database for the cluster of the data folder, past the backup’s epoch', async () => {
    const target = await database({ migrate: false });
    await restoreBackup(wish(target.sql, { clusterId: theirs }));
    const [owner] = await target.sql`select cluster_id as id, epoch from shared.cluster`;
    expect(owner).to.deep.equal({ id: theirs, epoch: 6 });
  });

  it('empties what is made again, and what was of the moment', async () => {
    const target = await database();
    await fillOddly(target.sql);
    await restoreBackup(wish(target.sql, { isReplacing: true }));
    await compare(target.sql);
    for (const [name, { fate }] of Object.entries(tables)) {
      if (fate !== 'derived' && fate !== 'passing') continue;
      expect(await count(target.sql, name), name).to.equal(0);
    }
  });

  it('refuses a database that is used, unless it is to be replaced', async () => {
    const target = await database();
    await target.sql`insert into libraries (kind, name) values ('movie', 'Mine')`;
    const { refusal } = await planRestore(wish(target.sql));
    expect(refusal).to.match(/holds data; --replace/);
    expect(await faultOf(restoreBackup(wish(target.sql)))).to.match(/^refused: .*--replace/);
    expect(await count(target.sql, 'public.libraries')).to.equal(1);
    await restoreBackup(wish(target.sql, { isReplacing: true }));
    await compare(target.sql);
  });

  it('refuses while nodes are connected', async () => {
    const target = await database();
    // The test's own pool goes by the name that a node's has.
    const connected = (sql: Parameters<RestoreOptions['listConnected']>[0]) =>
      listConnected(sql, 'revenge restore');
    await target.sql`select 1`;
    const { refusal } = await planRestore(wish(target.sql, { listConnected: connected }));
    expect(refusal).to.match(/in use: revenge from this machine since .*stop every node/);
    const fault = await faultOf(restoreBackup(wish(target.sql, { listConnected: connected })));
    expect(fault).to.match(/^refused: the database is in use/);
    expect(await listConnected(target.sql, 'revenge')).to.deep.equal([]);
  });

  it('lets a node that starts meanwhile wait, and serve what was restored', async () => {
    const target = await database();
    const { address } = target;
    const connect = (applicationName: string) =>
      connectPostgres({ ...address, pool: { max: 3 }, log: quiet, applicationName });
    await using own = await connect('revenge restore');
    await using node = await connect('revenge');
    let starting: Promise<string[]> | undefined;
    const isWaiting = async () => {
      const [row] = await own.sql<{ waiting: number }[]>`
        select count(*) as waiting from pg_locks where locktype = 'advisory' and not granted`;
      return row!.waiting > 0;
    };
    await restoreBackup(
      wish(own.sql, {
        listConnected: async (sql) => {
          const { sql: nodes } = node;
          starting ??= createMigrator({ sql: nodes, dir: migrationsDir, log: quiet }).up();
          while (!(await isWaiting())) await pause(5);
          return listConnected(sql, 'revenge restore');
        },
      }),
    );
    expect(await starting).to.deep.equal([]);
    await compare(node.sql);
  });

  it('is undone when a node connects meanwhile', async () => {
    const target = await database();
    const before = await contentOf(target.sql);
    let asked = 0;
    const late = async () =>
      (asked += 1) < 2 ? [] : [{ program: 'revenge', from: '192.0.2.7', since: new Date(0) }];
    const fault = await faultOf(restoreBackup(wish(target.sql, { listConnected: late })));
    expect(fault).to.equal(
      'refused: the database is in use: revenge from 192.0.2.7 since 1970-01-01T00:00:00.000Z; ' +
        'stop every node of this cluster first',
    );
    expect(await contentOf(target.sql)).to.deep.equal(before);
  });

  it('signs everybody out where that is wanted', async () => {
    const target = await database({ migrate: false });
    await restoreBackup(wish(target.sql, { isSigningOut: true }));
    expect(await count(target.sql, 'shared.sessions')).to.equal(0);
    expect(await count(target.sql, 'shared.refresh_tokens')).to.equal(0);
    expect(await count(target.sql, 'shared.api_keys')).to.equal(2);
  });

  it('moves the folders of libraries', async () => {
    const target = await database({ migrate: false });
    const mappings = [
      { from: '/films', to: '/mnt/media' },
      { from: '/films/\\N\n\uf780', to: '/' },
    ];
    await restoreBackup(wish(target.sql, { mappings }));
    const roots = await target.sql<{ path: string }[]>`select path from library_roots order by id`;
    expect(roots.map(({ path }) => path)).to.deep.equal(['/mnt/media', '/']);
    const other = await database({ migrate: false });
    const wrong = wish(other.sql, { mappings: [{ from: '/film', to: '/x' }] });
    expect(await faultOf(restoreBackup(wrong))).to.match(/no library .* in \/film; .*: \/films, /);
    expect(await listTables(other.sql)).to.deep.equal([]);
  });

  const rows: [string, string, string | undefined][] = [
    ['/a/b', '/a', '/a'],
    ['/a', '/a', '/a'],
    ['/ab', '/a', undefined],
    ['/a', '/', '/'],
    ['/a/b/c', '/a/b', '/a/b'],
  ];
  for (const [path, from, found] of rows) {
    it(`maps ${path} by ${from}: ${found ?? 'not'}`, () => {
      const mappings = [{ from, to: '/x' }, ...(from === '/a/b' ? [{ from: '/a', to: '/y' }] : [])];
      expect(longest(mappings, path)?.from).to.equal(found);
    });
  }

  it('carries pictures that nothing else holds, unless they are left out', async () => {
    const bytes = Buffer.from('a picture');
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const use = (source_: string, hash: string) => source.sql`
      update images set sha256 = ${hash}, source = ${source_} where id = ${oddIds.upload}`;
    await use('provider', sha256);
    const readPicture = async (wanted: string) => (wanted === sha256 ? bytes : undefined);
    const { path, written } = await backUp(source.sql, 'pictures.tar.zst', { readPicture });
    expect(written.manifest.pictures).to.deep.equal({ isIncluded: true, count: 1 });
    const target = await database({ migrate: false });
    await restoreBackup(wish(target.sql, { file: path }));
    expect(pictures).to.deep.equal(new Map([[sha256, 'a picture']]));
    await use('provider', uploadedSha256);
    const lacking = await backUp(source.sql, 'lacking.tar.zst', { readPicture });
    expect(lacking.written).to.include({ lackingPictures: 1 });
    await verifyBackup(lacking.path, undefined);
    expect((await readManifest(file, undefined)).pictures.isIncluded).to.equal(false);
  });

  it('leaves the database as it was when the backup turns out damaged, or cannot be taken in', async () => {
    const target = await database();
    await fillOddly(target.sql);
    const before = await contentOf(target.sql);
    const bytes = await readFile(file);
    const cases: [string, Buffer][] = [
      ['cut off', bytes.subarray(0, bytes.length - 40)],
      ['cut off early', bytes.subarray(0, Math.floor(bytes.length / 2))],
      [
        'altered',
        Buffer.from(bytes.map((byte, at) => (at === bytes.length - 1 ? byte ^ 1 : byte))),
      ],
    ];
    for (const [name, content] of cases) {
      const damaged = join(dir, `${name}.tar.zst`);
      await writeFile(damaged, content);
      const all = wish(target.sql, { file: damaged, isReplacing: true });
      expect(await faultOf(planRestore(all)), name).to.match(/^damaged: the backup is damaged: /);
      // Even if nobody had looked before.
      expect(await faultOf(restoreBackup(all)), name).to.match(/^damaged/);
      expect(await contentOf(target.sql), name).to.deep.equal(before);
    }
    const savePicture = () => Promise.reject(new Error('no room for pictures'));
    const readPicture = async () => Buffer.from('a picture');
    const bad = await backUp(source.sql, 'wrong-picture.tar.zst', { readPicture });
    const all = wish(target.sql, { file: bad.path, isReplacing: true, savePicture });
    expect(await faultOf(restoreBackup(all))).to.match(/^damaged: .*is another one/);
    expect(await contentOf(target.sql)).to.deep.equal(before);
  });

  it('is of one moment, whatever is written meanwhile', async () => {
    const busy = await database();
    await fillOddly(busy.sql);
    const before = await contentOf(busy.sql);
    const changing = new AbortController();
    const { path } = await backUp(busy.sql, 'busy.tar.zst', {
      onProgress: () => {
        changing.abort();
      },
      readPicture: async () => {
        await busy.sql`delete from user_items`;
        return undefined;
      },
    });
    expect(changing.signal.aborted).to.equal(true);
    await busy.sql`update movies set title = 'later'`;
    const target = await database({ migrate: false });
    await restoreBackup(wish(target.sql, { file: path }));
    expect((await contentOf(target.sql))['public.user_items']).to.deep.equal(
      before['public.user_items'],
    );
  });

  it('refuses to back up what holds nothing, and to write over a file', async () => {
    const nothing = await database({ migrate: false });
    const later = await database();
    await later.sql.unsafe('create table shared.later (id integer)');
    expect(await faultOf(backUp(later.sql, 'later.tar.zst'))).to.match(
      /^refused: .* a table shared.later, which this program does not know/,
    );
    expect(await faultOf(backUp(nothing.sql, 'nothing.tar.zst'))).to.match(
      /^refused: .*nothing yet/,
    );
    expect(await faultOf(backUp(source.sql, 'whole.tar.zst'))).to.match(
      /^refused: .*there already/,
    );
  });
});
