import type { Duty } from '#cluster/member/duties.ts';
import { pause } from '#cluster/member/pause.ts';
import type { View } from '#cluster/state/types.ts';
import type { Backups } from '#services/backup/index.ts';
import { createIdempotencyKeys } from '#storage/cluster/idempotency.ts';
import type { Sql } from '#storage/postgres/connect.ts';
import type { Migrator } from '#storage/postgres/migrate.ts';

const hourMs = 3_600_000;
/** A client that has not asked again by then does not. */
const keysLastMs = 24 * hourMs;
const lookMs = 10_000;
/** Oftener than once a minute, which is how often one can be due. */
const backupLookMs = 20_000;

export interface LeaderDutiesDeps {
  readonly sql: Sql;
  readonly migrator: Pick<Migrator, 'up'>;
  readonly view: () => Pick<View, 'featureLevel'>;
  readonly backups: Pick<Backups, 'whenDue'>;
}

/** What the leader does for all, beside what the cluster itself needs. */
export const leaderDuties = (deps: LeaderDutiesDeps): readonly Duty[] => [
  {
    name: 'forget old idempotency keys',
    async run({ signal }) {
      for (;;) {
        await createIdempotencyKeys(deps.sql).forget(keysLastMs);
        await pause(hourMs, signal);
        if (signal.aborted) return;
      }
    },
  },
  contractDuty(deps),
  backupDuty(deps),
];

/** Takes from the database what only nodes of the release before used, once there are none. */
const contractDuty = ({ migrator, view }: LeaderDutiesDeps): Duty => ({
  name: 'contract the database',
  async run({ signal }) {
    let done: number | undefined;
    while (!signal.aborted) {
      const { featureLevel: level } = view();
      if (level !== done) await migrator.up(undefined, { level });
      done = level;
      await pause(lookMs, signal);
    }
  },
});

/** The leader sees to it that backups are made when they are due; any node makes them. */
const backupDuty = ({ backups }: LeaderDutiesDeps): Duty => ({
  name: 'back up when it is due',
  async run({ signal }) {
    while (!signal.aborted) {
      await backups.whenDue();
      await pause(backupLookMs, signal);
    }
  },
});
