import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { createMigrator, readMigrations } from '#storage/postgres/migrate.ts';
import {
  backupWorld,
  faultOf,
  migrationsDir,
  restoreWish,
  type BackupWorld,
} from '#test/backup.ts';
import { quiet } from '#test/log.ts';
import { fillOddly } from '#test/odd-content.ts';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import { planRestore, restoreBackup } from './restore.ts';

const theirs = '01890000-0000-7000-8000-00000000000b';

describe('restoring a backup from another version', function () {
  this.timeout(300_000);
  let world: BackupWorld;
  before(async () => {
    world = await backupWorld();
  });
  after(() => world.close());

  const each = async () => (await readMigrations(migrationsDir)).map(({ version }) => version);

  it('goes through the schema of every earlier version that has its tables', async () => {
    await using old = await testDatabase({ migrate: false });
    const migrator = createMigrator({ sql: old.sql, dir: migrationsDir, log: quiet });
    for (const version of (await each()).filter((one) => one >= 4)) {
      await migrator.to(version);
      await old.sql`delete from shared.users`;
      await old.sql`
        insert into shared.users (username, role) values (${`of ${version}`}, 'admin')`;
      const { path } = await world.backUp(old.sql, `v${version}.tar.zst`);
      await using target = await testDatabase();
      await fillOddly(target.sql);
      await target.sql`insert into shared.cluster (cluster_id, epoch) values (${theirs}, 9)`;
      const all = restoreWish(target.sql, path, { isReplacing: true, clusterId: theirs });
      expect((await planRestore(all)).schemaVersion).to.equal((await each()).at(-1));
      await restoreBackup(all);
      const users = await target.sql<{ username: string }[]>`select username from shared.users`;
      expect(users.map(({ username }) => username)).to.deep.equal([`of ${version}`]);
      const [owner] = await target.sql<{ id: string; epoch: number }[]>`
        select cluster_id as id, epoch from shared.cluster`;
      expect(owner?.id, `${version}`).to.equal(theirs);
      expect(owner?.epoch, `${version}`).to.be.greaterThan(9);
    }
  });

  describe('with migrations that take something away', () => {
    let more: string;
    const steps = {
      '900001_extra.up': 'alter table libraries add column extra text;',
      '900001_extra.down': 'alter table libraries drop column extra;',
      '900002_less.up': '-- contract: feature level 9\nalter table libraries drop column extra;',
      '900002_less.down': 'alter table libraries add column extra text;',
      '900003_other.up': "alter table libraries add column other text default 'later';",
      '900003_other.down': 'alter table libraries drop column other;',
    };
    before(async () => {
      more = join(world.dir, 'migrations');
      await cp(migrationsDir, more, { recursive: true });
      for (const [name, text] of Object.entries(steps)) {
        await writeFile(join(more, `${name}.sql`), text);
      }
    });
    const at = async (...versions: number[]) => {
      const db = await world.database();
      const migrator = createMigrator({ sql: db.sql, dir: more, log: quiet });
      if (versions.includes(900_001)) await migrator.up(900_001);
      if (versions.includes(900_003)) await migrator.up(undefined, { level: 1 });
      if (versions.includes(900_002)) await migrator.up();
      return db;
    };
    const beyond = async ({ sql }: TestDatabase) => {
      const rows = await sql<{ version: number; isCompatible: boolean }[]>`
        select version, is_compatible as "isCompatible" from shared.schema_migrations
        where version > 900000 order by version`;
      return rows.map(({ version, isCompatible }) => (isCompatible ? version : -version));
    };

    const cases: [number[], number[] | undefined, number[], string | null | undefined][] = [
      [[1, 3], [1, 3], [1, 3], 'kept'],
      [[1, 3], [1, 2, 3], [1, -2, 3], undefined],
      [[1, 3], undefined, [1, -2, 3], undefined],
      [[1, 2, 3], [1, 3], [1, -2, 3], undefined],
      [[], [1, 3], [1, 3], null],
    ];
    for (const [from, into, wanted, extra] of cases) {
      const words = `${from.join() || 'none'} into ${into?.join() ?? 'an empty database'}`;
      it(`brings ${words}, and leaves the rest to the leader`, async () => {
        const full = (list: number[]) => list.map((n) => n + Math.sign(n) * 900_000);
        const old = await at(...full(from));
        await old.sql`insert into libraries (kind, name) values ('movie', 'Films')`;
        if (from.length === 2) await old.sql`update libraries set extra = 'kept'`;
        const { path } = await world.backUp(old.sql, `contract-${words.replaceAll(' ', '-')}`);
        const target = into ? await at(...full(into)) : await world.database({ migrate: false });
        await restoreBackup(restoreWish(target.sql, path, { migrationsDir: more }));
        expect(await beyond(target)).to.deep.equal(full(wanted));
        const [row] = await target.sql<{ extra?: string; other: string }[]>`
          select * from libraries`;
        expect(row?.other).to.equal('later');
        expect(row?.extra).to.equal(extra);
      });
    }
  });

  it('is refused where this program does not know its schema', async () => {
    const good = await world.backUp((await world.database()).sql, 'good.tar.zst');
    const newer = await world.database();
    await newer.sql`
      insert into shared.schema_migrations (version, name, checksum)
      values (900001, '900001_later', ${'0'.repeat(64)})`;
    const { path } = await world.backUp(newer.sql, 'newer.tar.zst');
    const target = await world.database({ migrate: false });
    const fault = await faultOf(planRestore(restoreWish(target.sql, path)));
    expect(fault).to.match(/^newer: the backup .* has 900001_later.*update it$/);
    const into = await faultOf(planRestore(restoreWish(newer.sql, good.path)));
    expect(into).to.match(/^newer: the database .* has 900001_later/);
    await newer.sql`
      update shared.schema_migrations set checksum = ${'1'.repeat(64)} where version = 4`;
    await newer.sql`delete from shared.schema_migrations where version = 900001`;
    const other = await world.backUp(newer.sql, 'other.tar.zst');
    expect(await faultOf(planRestore(restoreWish(target.sql, other.path)))).to.match(
      /^newer: the backup does not fit: its schema has another 000004_/,
    );
  });
});
