import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { hasCredentials } from '#cluster/member/credentials.ts';
import type { Member } from '#cluster/member/member.ts';
import type { Identity } from '#cluster/trust/identity.ts';
import type { Log } from '#services/log.ts';
import { createGathering } from '#storage/cluster/gathering.ts';
import { createOwnership, ForeignDatabaseError } from '#storage/cluster/owner.ts';
import type { Sql } from '#storage/postgres/connect.ts';
import type { Config } from '../config/keys.ts';
import { openDatabase } from '../database.ts';
import { untilReachable } from '../reach.ts';
import type { ClusterControl } from './control.ts';

export interface GatherDeps {
  readonly config: Config;
  readonly identity: Identity;
  readonly log: Log;
}

/** How this node becomes one of its cluster; undefined: in no way that has to do with others. */
export type Gathered = { readonly isFounder: true } | { readonly join: Pick<Config, JoinKeys> };
type JoinKeys = 'cluster.join_token' | 'cluster.raft.join_addrs';

const lookMs = 1_000;

/**
 * For an empty node that is to be one of `cluster.raft.bootstrap_expect`: waits until so many of
 * them see each other in the database that all of them use. Then one, the first by id, takes the
 * database for a new cluster, and the others are let in by what it leaves there. A database that
 * belongs to a cluster already is joined if that invites, and never taken; nothing is ever founded
 * because time has passed.
 * @throws Error without `database.url`: there is nothing else in which they could see each other
 */
export async function gather(deps: GatherDeps): Promise<Gathered | undefined> {
  const { config, identity, log } = deps;
  const expected = config['cluster.raft.bootstrap_expect'] ?? 1;
  const isTold = config['cluster.join_token'] !== undefined || config['cluster.raft.bootstrap'];
  if (expected < 2 || isTold || identity.clusterId !== undefined) return undefined;
  if (await hasCredentials(config['data.dir'])) return undefined;
  if (config['database.url'] === undefined) {
    throw new Error(
      'cluster.raft.bootstrap_expect needs database.url: empty nodes find each other in the ' +
        'PostgreSQL they share; or found a cluster on one node and join the others by token',
    );
  }
  await using open = await openDatabase(config, log);
  const askDatabase = () => Promise.resolve(undefined);
  await untilReachable(open, { log, askDatabase }, () => open.migrator.up(undefined, { level: 0 }));
  return await untilGathered(deps, open.database.sql, expected);
}

async function untilGathered(
  { identity, log }: GatherDeps,
  sql: Sql,
  expected: number,
): Promise<Gathered> {
  const { nodeId } = identity;
  const gathering = createGathering(sql);
  const owners = createOwnership(sql);
  let said = '';
  const say = (message: string, facts: Record<string, unknown>) => {
    const line = `${message} ${JSON.stringify(facts)}`;
    if (line !== said) log.info(message, facts);
    said = line;
  };
  for (;;) {
    const owner = await owners.read();
    const invitation = owner && (await gathering.invitation(owner.clusterId));
    if (invitation) {
      await gathering.leave(nodeId);
      const { token, addresses } = invitation;
      return {
        join: { 'cluster.join_token': token, 'cluster.raft.join_addrs': [...addresses] },
      };
    }
    if (owner) {
      const { clusterId } = owner;
      say('waits to be invited by the cluster that has the database, or for a token', {
        clusterId,
      });
    } else {
      const there = await gathering.attend(nodeId, expected);
      say('waits for the other nodes that are to found the cluster', { there, expected });
      const isFirst = there[0] === nodeId && there.length >= expected;
      if (isFirst && (await take(identity, owners))) return { isFounder: true };
    }
    await pause(lookMs);
  }
}

/** Exactly one of all that try inserts the row. */
async function take(
  identity: Identity,
  owners: ReturnType<typeof createOwnership>,
): Promise<boolean> {
  const clusterId = randomUUID();
  // Kept first: a database that is claimed by nobody who remembers it is lost to all.
  await identity.save({ clusterId });
  try {
    await owners.claim(clusterId);
    return true;
  } catch (error) {
    if (!(error instanceof ForeignDatabaseError)) throw error;
    await identity.save({ clusterId: undefined });
    return false;
  }
}

export interface InviteDeps {
  readonly config: Config;
  readonly identity: Pick<Identity, 'clusterId' | 'nodeId'>;
  readonly control: ClusterControl;
  readonly sql: Sql;
  readonly member: Pick<Member, 'offices'>;
  readonly log: Log;
}

const inviteMs = 24 * 3_600_000;

/**
 * Lets the others in that this node has founded the cluster with: once, also if it was killed
 * before it got to that. Does nothing on any other node.
 */
export async function inviteGathered(deps: InviteDeps): Promise<void> {
  const { config, identity, control, sql, member, log } = deps;
  const expected = config['cluster.raft.bootstrap_expect'] ?? 1;
  const { clusterId, nodeId } = identity;
  if (expected < 2 || clusterId === undefined || !member.offices.current()) return;
  const gathering = createGathering(sql);
  // Only a founder that has not come to this is still there.
  if (!(await gathering.isThere(nodeId))) return;
  await control.init();
  const { token, addresses } = await control.createToken({
    ...{ kind: 'node', uses: expected - 1, ttlMs: inviteMs, by: 'bootstrap_expect' },
  });
  await gathering.invite({ clusterId, token, addresses }, inviteMs);
  await gathering.leave(nodeId);
  log.info('invites the others', { expected, addresses });
}
