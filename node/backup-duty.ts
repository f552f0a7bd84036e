import type { Duty } from '#cluster/member/duties.ts';
import { pause } from '#cluster/member/pause.ts';
import type { Backups } from '#services/backup/index.ts';

/** Oftener than once a minute, which is how often one can be due. */
const lookEveryMs = 20_000;

/** The leader sees to it that backups are made when they are due; any node makes them. */
export const backupDuty = ({ whenDue }: Pick<Backups, 'whenDue'>): Duty => ({
  name: 'back up when it is due',
  async run({ signal }) {
    while (!signal.aborted) {
      await whenDue();
      await pause(lookEveryMs, signal);
    }
  },
});
