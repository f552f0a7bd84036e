import { createMigrator } from '#storage/postgres/migrate.ts';
import { connectPostgres } from '#storage/postgres/connect.ts';
import { quiet } from './log.ts';

/** A process that brings a database up to date, to be killed: `socket database user folder`. */
const [socket = '', database = '', user = '', dir = ''] = process.argv.slice(2);
const db = await connectPostgres({ socket, database, user, pool: { max: 2 }, log: quiet });
await createMigrator({ sql: db.sql, dir, log: quiet }).up();
