import { networkInterfaces } from 'node:os';
import { hostsFor, isAny, readBinding } from '#cluster/member/addresses.ts';
import { readTrust } from '#cluster/trust/folder.ts';
import { dnsNameOf } from '#cluster/trust/names.ts';
import type { Config } from '../config/keys.ts';
import {
  readMemberDatabase,
  saveMemberDatabase,
  type MemberDatabase,
  type OpenDatabase,
} from '../database.ts';

export interface SharingDeps {
  readonly config: Config;
  readonly nodeId: string;
  /** The database of this node; asked once it is open. */
  readonly open: () => OpenDatabase;
}

/** The one database of a cluster, where it is the embedded one of a member. */
export interface Sharing {
  /** Lets members in, and says how they come; undefined where each node is told by its owner. */
  offer(): Promise<MemberDatabase | undefined>;
  /** For the operator, where the database is what cannot fail over. */
  note(): string | undefined;
}

export function createSharing({ config, nodeId, open }: SharingDeps): Sharing {
  const dataDir = config['data.dir'];
  return {
    async offer() {
      const { embedded } = open();
      if (!embedded) return readMemberDatabase(dataDir);
      const { authorities: ca, certificate: cert, key } = await readTrust(dataDir);
      if (ca === undefined || cert === undefined || key === undefined) return undefined;
      const listen = readBinding(config['cluster.database.bind_addr']);
      const access = await embedded.openToMembers({
        listen: { ...listen, host: isAny(listen.host) ? '*' : listen.host },
        tls: { ca, cert, key },
      });
      const advertised = config['cluster.raft.advertise_addr'];
      const hosts =
        advertised === undefined
          ? hostsFor(listen.host, networkInterfaces())
          : [readBinding(advertised).host];
      return { ...access, hosts, serverName: dnsNameOf(nodeId) };
    },
    note() {
      if (!open().embedded && config['database.url'] !== undefined) return undefined;
      const where = open().embedded ? 'this node' : 'one member';
      return (
        `the nodes are redundant and their database is not: it runs on ${where} alone, and without ` +
        'it only what is cached is served; see docs/operations.md for one that fails over'
      );
    },
  };
}

/** What a newcomer does with what it was told; its own setting goes first. Throws without either. */
export async function keepDatabase(config: Config, offered: unknown): Promise<void> {
  if (config['database.url'] !== undefined) return;
  if (offered === undefined || offered === null) {
    throw new Error(
      'the members use a PostgreSQL of their own: give this node the same one (database.url)',
    );
  }
  await saveMemberDatabase(config['data.dir'], offered as MemberDatabase);
}
