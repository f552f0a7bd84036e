import { crc32 } from 'node:zlib';
import type { Configuration, HardState, Server } from '../core/types.ts';
import { StoreError } from '../store/errors.ts';
import { endsOf, latestConfiguration } from './inspect.ts';
import { withData, type Data } from './open.ts';

export interface RecoverRequest {
  readonly dir: string;
  /** This node; left out, what the directory says. */
  readonly id?: string | undefined;
  readonly peers: readonly Server[];
}

export interface RecoverPlan {
  readonly id: string;
  readonly before: { readonly hardState: HardState; readonly configuration: Configuration };
  readonly after: { readonly hardState: HardState; readonly configuration: Configuration };
  /** Of the entry that brings the new configuration. */
  readonly index: number;
  readonly changes: readonly string[];
  readonly warnings: readonly string[];
}

/** Terms leap to the next million and some: no leader of the lost cluster can have got that far. */
const epoch = 1_000_000;

/** What `applyRecovery` would write; changes nothing. */
export function planRecovery(request: RecoverRequest): Promise<RecoverPlan> {
  return withData(request.dir, async (data) => plan(request, data));
}

/**
 * A new configuration without asking the old one's quorum, for when that is gone for good. Where
 * hashicorp's peers.json writes a snapshot, this adds an entry as if this node had won a term of
 * its own: the other survivors then follow it like any leader, and need no recovery themselves.
 * The term depends on the id, so that two nodes recovered by mistake never write the same place of
 * the log differently.
 */
export function applyRecovery(request: RecoverRequest): Promise<RecoverPlan> {
  return withData(request.dir, async (data) => {
    const planned = plan(request, data);
    const { hardState, configuration } = planned.after;
    const entry = { index: planned.index, term: hardState.term, type: 'configuration' } as const;
    const entries = [{ ...entry, data: new Uint8Array(), configuration }];
    await data.store.save([{ number: 0, hardState, entries, mustSync: true }]);
    return planned;
  });
}

function plan({ id: asked, peers, dir }: RecoverRequest, data: Data): RecoverPlan {
  const { found, identity, store } = data;
  const id = asked ?? identity?.id;
  if (id === undefined) throw new StoreError(`${dir} does not say whose it is; give --id`);
  if (identity?.id !== undefined && identity.id !== id) {
    throw new StoreError(`the Raft data in ${dir} are those of ${identity.id}, not of ${id}`);
  }
  const self = peers.find((peer) => peer.id === id);
  if (self?.suffrage !== 'voter') throw new StoreError(`${id} is no voter in the list of peers`);
  const { last } = endsOf(found);
  if (last === 0) throw new StoreError(`the log in ${dir} is empty; there is nothing to recover`);
  const { configuration } = latestConfiguration(found);
  const term = (Math.floor(found.hardState.term / epoch) + 1) * epoch + (crc32(id) % epoch);
  return {
    id,
    before: { hardState: found.hardState, configuration },
    after: {
      hardState: { term, vote: { id, address: self.address } },
      configuration: { servers: [...peers] },
    },
    index: last + 1,
    changes: differences(configuration.servers, peers),
    warnings: warningsOf(last, store.commitHint),
  };
}

function warningsOf(last: number, commitHint: number): string[] {
  const warnings = [
    'apply this on one survivor only: the one with the highest last term, then the highest index',
    'what only lost servers had is lost; servers that are not in the list must never start again',
  ];
  if (commitHint === last - 1) {
    warnings.push(`entry ${last} is not known to be committed; it will be now`);
  } else if (commitHint < last) {
    const which = `entries ${commitHint + 1} to ${last}`;
    warnings.push(`${which} are not known to be committed; they will be now`);
  }
  return warnings;
}

function differences(before: readonly Server[], after: readonly Server[]): string[] {
  const lines: string[] = [];
  for (const old of before) {
    const now = after.find(({ id }) => id === old.id);
    if (!now) lines.push(`remove ${old.id} (${old.suffrage} at ${old.address})`);
    else if (now.address !== old.address) {
      lines.push(`move ${old.id} from ${old.address} to ${now.address}`);
    }
    if (now && now.suffrage !== old.suffrage) lines.push(`make ${old.id} a ${now.suffrage}`);
  }
  for (const { id, address, suffrage } of after) {
    if (!before.some((old) => old.id === id)) lines.push(`add ${id} (${suffrage} at ${address})`);
  }
  return lines;
}

/**
 * `[{"id": "n1", "address": "10.0.0.1:7001", "suffrage": "voter"}]`; hashicorp's `non_voter` is
 * understood too.
 * @throws StoreError that says what is wrong with the list
 */
export function parsePeers(text: string): Server[] {
  const bad = (why: string) => new StoreError(`the list of peers ${why}`);
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    throw bad('is no JSON');
  }
  if (!Array.isArray(list) || list.length === 0) throw bad('is not a list of servers');
  const peers = list.map((one: unknown, at): Server => {
    const { id, address, suffrage, non_voter: isNonvoter } = (one ?? {}) as Record<string, unknown>;
    if (typeof id !== 'string' || id === '') throw bad(`has no id in number ${at + 1}`);
    if (typeof address !== 'string' || address === '') throw bad(`has no address for ${id}`);
    const role = suffrage ?? (isNonvoter === true ? 'nonvoter' : 'voter');
    if (role !== 'voter' && role !== 'nonvoter') throw bad(`has the unknown suffrage of ${id}`);
    return { id, address, suffrage: role };
  });
  for (const key of ['id', 'address'] as const) {
    const values = peers.map((peer) => peer[key]);
    const twice = values.find((value, at) => values.indexOf(value) !== at);
    if (twice !== undefined) throw bad(`has the ${key} ${twice} twice`);
  }
  return peers;
}
