import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { checkFileSystem } from '#cluster/trust/file-system.ts';
import type { MemberKind } from '#cluster/state/types.ts';
import { TrustError } from '#cluster/trust/errors.ts';
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

/**
 * A witness has voted with its folder and has no database; a node may have led with its own.
 * @throws TrustError `wrong-kind` where a node is to run on a witness's folder, or the reverse
 */
export function checkKind({ kind, clusterId }: Identity, wanted: MemberKind): void {
  if (wanted === 'node' && kind === 'witness') {
    const whose = 'this data folder is that of a witness';
    throw new TrustError('wrong-kind', `${whose}: run "revenge witness", or choose another --data`);
  }
  if (wanted === 'witness' && kind !== 'witness' && clusterId !== undefined) {
    const whose = 'this data folder is that of a node';
    throw new TrustError('wrong-kind', `${whose}: give the witness one of its own with --data`);
  }
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
