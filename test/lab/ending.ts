import { setTimeout as pause } from 'node:timers/promises';
import type { Sql } from '#storage/postgres/connect.ts';
import { ask } from './ask.ts';
import { until, type ClusterStatus, type LabCluster, type Observer } from './cluster.ts';
import type { Made } from './judge.ts';
import type { Recording, RegisterRead } from './record.ts';
import { convergeMaxMs } from './verdict.ts';

export interface Ending {
  readonly cluster: Pick<LabCluster, 'nodes'>;
  readonly observer: Observer;
  readonly token: string;
}

/** Waits until all nodes are at one index with one hash. */
export async function converge({ cluster, observer }: Ending) {
  const begin = performance.now();
  let after: ClusterStatus | undefined;
  try {
    await until('the same state on all nodes', convergeMaxMs, async () => {
      const all = await Promise.all(cluster.nodes.map((node) => observer.status(node)));
      after = all[0];
      const isSame = all.every(
        ({ hash, index, commit, applied }) =>
          hash === after?.hash && index === after.index && applied === commit,
      );
      return isSame || undefined;
    });
    return { convergedMs: Math.round(performance.now() - begin), after };
  } catch {
    return { convergedMs: undefined, after }; // the round fails by it, with its name
  }
}

const readTries = 50;

/** Every register at every node, with the highest index that anybody was told. */
export async function readAll(
  { cluster, token }: Ending,
  { writes }: Recording,
): Promise<RegisterRead[]> {
  const index = Math.max(0, ...writes.map((write) => write.index ?? 0));
  const registers = [...new Set(writes.map(({ register }) => register))];
  const reads = cluster.nodes.flatMap(({ url }, node) =>
    registers.map(async (register) => {
      for (let tried = 0; tried < readTries; tried += 1, await pause(100)) {
        const answer = await ask({
          ...{ url: `${url}/api/v1/movies/${register}`, token },
          headers: { 'x-revenge-index': String(index) },
        });
        if (answer.status !== 200) continue;
        const value = (answer.body as { tagline: string | null }).tagline;
        const { callAt, endAt } = answer;
        return { register, value, node, callAt, endAt, index };
      }
      throw new Error(`n${node + 1} does not show ${register} when all is over`);
    }),
  );
  return Promise.all(reads);
}

export async function madeNames(sql: Sql): Promise<Made> {
  const rows = await sql<{ name: string; count: number }[]>`
    select details->>'name' as name, count(*)::int as count from shared.activity
    where action = 'apikey.created' group by 1`;
  return new Map(rows.map(({ name, count }) => [name, count]));
}
