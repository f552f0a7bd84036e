import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { checkFileSystem } from '#cluster/trust/file-system.ts';
import { openIdentity, type Identity } from '#cluster/trust/identity.ts';
import type { Config } from './config/keys.ts';

/**
 * Who this node is, out of its data folder, which is this process's alone from here on.
 * @throws TrustError when the folder cannot be used; its message says what to do
 */
export async function openNodeIdentity(config: Config, now: () => number): Promise<Identity> {
  const dir = config['data.dir'];
  await checkFileSystem(dir);
  return openIdentity({
    dir,
    raftDir: config['cluster.raft.data_dir'],
    configuredId: config['cluster.node_id'],
    machineId: await machineId(),
    now,
    randomId: randomUUID,
  });
}

/** Told by systemd and others (machine-id(5)); in a container there may be none. */
async function machineId(): Promise<string | undefined> {
  try {
    const id = (await readFile('/etc/machine-id', 'utf8')).trim();
    return id === '' ? undefined : id;
  } catch {
    // Without it a folder that was carried to another machine is only not noticed.
    return undefined;
  }
}
