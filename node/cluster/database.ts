import { networkInterfaces } from 'node:os';
import { readBinding } from '#cluster/addresses.ts';
import { hostsFor } from '#cluster/member/addresses.ts';
import { CallError, type Call } from '#cluster/rpc/index.ts';
import type { View } from '#cluster/state/types.ts';
import { readTrust } from '#cluster/trust/folder.ts';
import { dnsNameOf, nodeIdOf } from '#cluster/trust/names.ts';
import type { Log } from '#services/log.ts';
import type { EmbeddedPostgres } from '#storage/postgres/embedded.ts';
import type { Config } from '../config/keys.ts';
import {
  listenFor,
  readSharedDatabase,
  saveSharedDatabase,
  type MemberDatabase,
  type OpenDatabase,
} from '../database.ts';
import { note, type ClusterNote } from './sayings.ts';

export interface SharingDeps {
  readonly config: Config;
  readonly nodeId: string;
  /** The database of this node; asked once it is open. */
  readonly open: () => OpenDatabase;
  /** Known to be one, and so to need no database; asked once members may ask. */
  readonly isWitness: (nodeId: string) => boolean;
  readonly log: Log;
}

/** What a newcomer is told of the database, by whoever lets it in. */
export interface Offer {
  /** Among the DNS names of the node that has it, and that tells the rest. */
  readonly serverName: string;
}

/** The one database of a cluster, where it is the embedded one of a member. */
export interface Sharing {
  /** Opens this node's own to members, if it has one and is open to others itself. */
  open(): Promise<void>;
  /** Undefined where each node is told by its owner. */
  offer(): Promise<Offer | undefined>;
  /** The node whose PostgreSQL it is; undefined where it is nobody's. */
  owner(): Promise<string | undefined>;
  /** Of members, who ask for what only they are told. */
  readonly calls: Readonly<Record<string, Call>>;
  /** Shuts out who was removed; whoever is a member notices nothing. */
  readonly dismiss: (view: View) => void;
  /** For the operator, where the database is what cannot fail over. */
  note(): ClusterNote | undefined;
}

export function createSharing(deps: SharingDeps): Sharing {
  const { config, nodeId, open } = deps;
  const owner = async () => {
    if (config['database.url'] !== undefined) return undefined;
    if (open().embedded) return nodeId;
    const shared = await readSharedDatabase(config['data.dir']);
    return shared && nodeIdOf(shared.serverName);
  };
  const openDoor = async () => {
    const { embedded } = open();
    if (embedded) await openToMembers(deps, embedded);
  };
  return {
    owner,
    open: openDoor,
    async offer() {
      await openDoor();
      const id = await owner();
      return id === undefined ? undefined : { serverName: dnsNameOf(id) };
    },
    calls: {
      async database(_input, { from }) {
        const { embedded } = open();
        if (!embedded) throw new CallError('not-here', 'the database is not on this node');
        if (deps.isWitness(from)) throw new CallError('nodes-only', 'a witness has no database');
        return admit(deps, embedded, from);
      },
    },
    dismiss: createDismissal(deps),
    note() {
      if (!open().embedded && config['database.url'] !== undefined) return undefined;
      return note(open().embedded ? 'databaseHere' : 'databaseElsewhere', {});
    },
  };
}

const bindingOf = (config: Config) => readBinding(config['cluster.database.bind_addr']);

async function openToMembers(
  { config }: SharingDeps,
  embedded: EmbeddedPostgres,
): Promise<boolean> {
  const { authorities: ca, certificate: cert, key } = await readTrust(config['data.dir']);
  if (ca === undefined || cert === undefined || key === undefined) return false;
  await embedded.openToMembers({ listen: listenFor(bindingOf(config)), tls: { ca, cert, key } });
  return true;
}

/** A role and a password for one member, told to that member alone. */
async function admit(
  deps: SharingDeps,
  embedded: EmbeddedPostgres,
  member: string,
): Promise<MemberDatabase> {
  const { config, nodeId, log } = deps;
  if (!(await openToMembers(deps, embedded))) {
    throw new CallError('not-open', 'this node is not open to others', { isRetryable: true });
  }
  const access = await embedded.admitMember(member);
  log.info('a member may use the database', { member });
  const advertised = config['cluster.raft.advertise_addr'];
  const hosts =
    advertised === undefined
      ? hostsFor(bindingOf(config).host, networkInterfaces())
      : [readBinding(advertised).host];
  return { ...access, hosts, serverName: dnsNameOf(nodeId) };
}

function createDismissal({ open, log }: SharingDeps) {
  let known = 0;
  return ({ retired }: View): void => {
    const { embedded } = open();
    // It only ever grows.
    if (!embedded || retired.size === known) return;
    known = retired.size;
    embedded.dismissMembers(retired).then(
      (count) => {
        if (count > 0) log.info('removed members are shut out of the database', { count });
      },
      (error: unknown) => {
        known = 0;
        log.error('removed members may still use the database', { error: String(error) });
      },
    );
  };
}

/** What a newcomer does with what it was told; its own setting goes first. Throws without either. */
export async function keepDatabase(config: Config, offered: unknown): Promise<void> {
  if (config['database.url'] !== undefined) return;
  const serverName = (offered as Partial<Offer> | null | undefined)?.serverName;
  if (typeof serverName !== 'string') {
    throw new Error(
      'the members use a PostgreSQL of their own: give this node the same one (database.url)',
    );
  }
  await saveSharedDatabase(config['data.dir'], serverName);
}
