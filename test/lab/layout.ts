import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { quiet } from '../log.ts';
import { freePorts } from '../ports.ts';
import { createLabCluster, type LabCluster } from './cluster.ts';
import { makeDisk } from './disk.ts';
import type { Layout } from './faults/fault.ts';
import { hosts, loopback, type Ground } from './ground.ts';
import { startPostgres, startRedis, type SharedPostgres, type SharedRedis } from './services.ts';
import type { Run } from './sweep.ts';

/** Everything that runs beside the lab's clients. */
export interface Laid {
  readonly ground: Ground;
  readonly postgres: SharedPostgres;
  readonly redis: SharedRedis | undefined;
  readonly cluster: LabCluster;
}

export interface LayoutWish {
  readonly run: Run;
  readonly nodes: number;
  readonly needs: ReadonlySet<Layout>;
  readonly password: string;
}

const spareNodes = 2;

/** Starts what the nodes share, and makes the nodes; none of them runs yet. */
export async function layOut(wish: LayoutWish, stack: AsyncDisposableStack): Promise<Laid> {
  const { run, needs } = wish;
  const spares = needs.has('spares') ? spareNodes : 0;
  const count = wish.nodes + spares;
  const ground = stack.use(needs.has('hosts') ? hosts(count) : loopback(count));
  run.made(ground.leftovers);
  const postgres = stack.use(await startPostgres(join(run.dir, 'postgres'), quiet));
  const [port = 0] = await freePorts(1);
  const onStarted = (pid: number) => run.started(pid);
  const place = { address: ground.address, port, dir: join(run.dir, 'redis'), onStarted };
  const redis = await startRedis(place);
  if (redis) stack.use(redis);
  const cluster = await createLabCluster({
    ...{ dir: run.dir, ground, spares, password: wish.password, onStarted },
    hasClocks: needs.has('clocks'),
    ...(needs.has('disks') ? { disk: await diskMaker(run) } : {}),
    env: {
      REVENGE_DATABASE_URL: postgres.url,
      ...(redis ? { REVENGE_CACHE_URL: redis.url } : {}),
      REVENGE_SERVER_RATE_LIMIT_PER_ADDRESS: '0',
      REVENGE_SERVER_RATE_LIMIT_PER_USER: '0',
    },
  });
  const all = [...cluster.nodes, ...cluster.spares];
  stack.defer(async () => void (await Promise.all(all.map((node) => node.kill()))));
  return { ground, postgres, redis, cluster };
}

async function diskMaker(run: Run) {
  const images = join(run.dir, 'disks');
  await mkdir(images);
  return (name: string, path: string) => {
    const disk = makeDisk(join(images, name), path);
    run.mounted(path);
    return disk;
  };
}
