import { ask } from './ask.ts';
import type { LabCluster, Observer } from './cluster.ts';
import type { Ground } from './ground.ts';
import type { Shared } from './services.ts';

export interface Mess {
  readonly cluster: LabCluster;
  readonly ground: Ground;
  readonly postgres: Shared;
  readonly redis: Shared | undefined;
  readonly observer: Observer;
  readonly token: string;
}

/**
 * After a fault that did not go as planned: all nodes run, nobody is cut off or stopped, and nobody
 * else is a member, so that the next round can begin.
 */
export async function tidyUp(mess: Mess): Promise<void> {
  const { cluster, ground, observer, token } = mess;
  const { nodes, spares } = cluster;
  ground.links?.heal();
  await mess.postgres.start();
  await mess.redis?.start();
  await Promise.all(spares.map((spare) => spare.kill()));
  for (const node of nodes) {
    node.signal('SIGCONT');
    if (cluster.wish.hasClocks) node.setClock(0);
    if (!node.isRunning()) node.start();
  }
  await Promise.all(nodes.map((node) => node.ready()));
  const statuses = await Promise.all(nodes.map((node) => observer.status(node)));
  const ours = new Set(statuses.map(({ nodeId }) => nodeId));
  for (const { id } of statuses[0]!.members) {
    if (ours.has(id)) continue;
    const url = `${nodes[0]!.url}/api/v1/cluster/members/${encodeURIComponent(id)}/remove`;
    const { status, code } = await ask({ url, token, method: 'POST', json: { force: false } });
    if (status !== 200) throw new Error(`${id} is not removed: ${status} ${code}`);
  }
}
