import { randomUUID } from 'node:crypto';
import { formatHostPort, readAddress, readBinding } from '#cluster/addresses.ts';
import type { Network } from '#cluster/member/network.ts';
import { readPeers } from '#cluster/member/peers-file.ts';
import { createRpcClient } from '#cluster/rpc/index.ts';
import { readTrust } from '#cluster/trust/folder.ts';
import type { Identity } from '#cluster/trust/identity.ts';
import { nodeIdOf } from '#cluster/trust/names.ts';
import type { Log } from '#services/log.ts';
import type { Config } from '../config/keys.ts';
import {
  parseMemberDatabase,
  readSharedDatabase,
  saveMemberDatabase,
  type MemberDatabase,
} from '../database.ts';

export interface AskDeps {
  readonly config: Config;
  readonly identity: Pick<Identity, 'nodeId' | 'clusterId'>;
  /** RPC addresses at which some member may be. */
  readonly hints: () => Promise<readonly string[]>;
  readonly log: Log;
}

const timeoutMs = 8_000;

/**
 * Asks the node that has the cluster's database how to reach it, wherever that node is by now, and
 * keeps the answer: the first time, and whenever what is known leads nowhere. Undefined: the
 * database is no member's, or it was not reached; then the log says why.
 */
export function createAsk({ config, identity, hints, log }: AskDeps) {
  const dataDir = config['data.dir'];
  let said = '';
  return async (): Promise<MemberDatabase | undefined> => {
    if (config['database.url'] !== undefined) return undefined;
    const shared = await readSharedDatabase(dataDir);
    const owner = shared && nodeIdOf(shared.serverName);
    const { authorities: ca, certificate: cert, key } = await readTrust(dataDir);
    if (!owner || ca === undefined || cert === undefined || key === undefined) return undefined;
    const at = await placesOf(dataDir, { owner, shared, config });
    const client = createRpcClient({
      tls: () => ({ ca, cert, key }),
      clusterId: identity.clusterId ?? '',
      candidates: () => at,
      randomId: randomUUID,
    });
    try {
      at.push(...(await hints()));
      const told = parseMemberDatabase(await client.call(owner, 'database', {}, { timeoutMs }));
      await saveMemberDatabase(dataDir, told);
      said = '';
      return told;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (reason !== said) log.warn("cannot ask for the cluster's database", { owner, reason });
      said = reason;
      return undefined;
    } finally {
      client.close();
    }
  };
}

/** Where its RPC may be: where it was last, and beside the database. */
async function placesOf(
  dataDir: string,
  {
    owner,
    shared,
    config,
  }: { owner: string; shared: { access: MemberDatabase | undefined }; config: Config },
): Promise<string[]> {
  const known = (await readPeers(dataDir)).find(({ id }) => id === owner)?.addresses.rpc ?? [];
  const { port } = readBinding(config['cluster.rpc.bind_addr']);
  const beside = (shared.access?.hosts ?? []).map((host) => formatHostPort({ host, port }));
  return [...new Set([...known, ...beside])];
}

const hostsMost = 16;

/**
 * Keeps what this node knows of where the database is: it is where its owner is. Whoever connects
 * makes sure whom it has reached, so that addresses of before do no harm.
 */
export function followOwner(
  dataDir: string,
  network: Pick<Network, 'peers' | 'onBook'>,
  log: Log,
): void {
  let turn = Promise.resolve();
  const look = async () => {
    const access = (await readSharedDatabase(dataDir))?.access;
    const owner = access && nodeIdOf(access.serverName);
    const peer = network.peers().find(({ id }) => id === owner);
    if (!access || !peer) return;
    const there = peer.addresses.rpc.flatMap((address) => readAddress(address)?.host ?? []);
    const hosts = [...new Set([...there, ...access.hosts])].slice(0, hostsMost);
    if (hosts.join() !== access.hosts.join())
      await saveMemberDatabase(dataDir, { ...access, hosts });
  };
  const lookNext = () => {
    turn = turn.then(look).catch((error: unknown) => {
      log.warn('where the database is could not be kept', { error: String(error) });
    });
  };
  network.onBook(lookNext);
  lookNext();
}
