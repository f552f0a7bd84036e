import type { Effects, Entry, Save, Status } from '#cluster/raft/core/types.ts';
import { durableLast, holds } from './disk.ts';
import { commitOf, committedBefore, noteEntry } from './ledger.ts';
import { configurationText } from './machine.ts';
import type { Mirror } from './mirror.ts';
import { mirrorLast, mirrorLastTerm, mirrorTerm, saveToMirror } from './mirror.ts';
import { count, must, nodeOf } from './world.ts';
import type { SimNode, World } from './types.ts';

/** What a step gave, and what the node said of itself before it. */
export interface Taken {
  readonly effects: Effects;
  readonly before: Status;
}

/** The properties that can be seen in one step of one node, checked after it. */
export function checkStep(world: World, node: SimNode, { effects, before }: Taken): void {
  const { status } = node;
  if (effects.save) noteSave(world, node, { save: effects.save, before });
  checkShape(world, node, effects);
  must(
    status.term >= before.term,
    'vote safety',
    () => `${node.id} goes back from term ${before.term} to ${status.term}`,
  );
  const isNew = before.role !== 'leader' || before.term !== status.term;
  if (status.role === 'leader' && isNew) checkNewLeader(world, node);
  checkCommit(world, node, { effects, before });
}

interface Saving {
  readonly save: Save;
  readonly before: Status;
}

/** Properties 2, 3 and 9 on what the node adds to its log. */
function noteSave(world: World, node: SimNode, { save, before }: Saving): void {
  const { mirror, status, id } = node;
  const isLeader =
    before.role === 'leader' && status.role === 'leader' && before.term === status.term;
  const first = save.entries[0];
  if (isLeader) {
    const cuts =
      save.truncateFrom !== undefined ||
      save.snapshot !== undefined ||
      (first !== undefined && first.index <= mirrorLast(mirror));
    must(!cuts, 'leader append-only', () => `${id} changes its own log while it leads`);
  }
  if (save.snapshot) {
    // In memory the core may keep the suffix that matches, or begin anew.
    const isKept =
      mirrorTerm(mirror, save.snapshot.index) === save.snapshot.term && !first
        ? status.lastIndex > save.snapshot.index
        : false;
    if (!isKept) {
      Object.assign(mirror, {
        ...{ entries: [], offset: save.snapshot.index, offsetTerm: save.snapshot.term },
      });
    }
  }
  const wrong = saveToMirror(mirror, save);
  must(wrong === undefined, 'log matching', () => `the log of ${id}: ${wrong}`);
  for (const entry of save.entries) {
    noteEntry(world.ledger, entry, mirrorTerm(mirror, entry.index - 1));
    if (entry.configuration) noteConfiguration(world, node, { entry, before });
  }
}

interface Changing {
  readonly entry: Entry;
  readonly before: Status;
}

/** Property 9, where a leader makes a configuration. */
function noteConfiguration(world: World, node: SimNode, { entry, before }: Changing): void {
  const { id, mirror, status } = node;
  if (status.role !== 'leader' || entry.term !== status.term || !entry.configuration) return;
  count(world, 'configurations');
  const older = latestConfigurationBefore(mirror, entry.index);
  const since = older?.index ?? before.configurationIndex;
  must(
    since <= before.commit,
    'membership',
    () => `${id} begins a configuration while the one at ${since} is not committed`,
  );
  must(
    // Its own: that another committed the entry first, while this one was paused, changes nothing.
    world.ledger.committed[before.commit]?.term === status.term,
    'membership',
    () => `${id} changes members before it committed anything in term ${status.term}`,
  );
  const old = votersOf(older?.configuration ?? before.configuration);
  const young = votersOf(entry.configuration);
  const changed =
    [...old].filter((each) => !young.has(each)).length +
    [...young].filter((each) => !old.has(each)).length;
  must(changed <= 1, 'membership', () => `${id} changes ${changed} voters at once`);
}

const votersOf = ({ servers }: Status['configuration']) =>
  new Set(servers.filter(({ suffrage }) => suffrage === 'voter').map(({ id }) => id));

export function latestConfigurationBefore(mirror: Mirror, index: number): Entry | undefined {
  for (let at = index - mirror.offset - 2; at >= 0; at -= 1) {
    if (mirror.entries[at]?.configuration) return mirror.entries[at];
  }
  return undefined;
}

/** What the node says of itself is what its saves say. */
function checkShape(world: World, node: SimNode, effects: Effects): void {
  const { status, mirror, id } = node;
  must(
    status.lastIndex === mirrorLast(mirror) &&
      (status.lastTerm === mirrorLastTerm(mirror) || mirrorLastTerm(mirror) === undefined),
    'log matching',
    () =>
      `${id} says its log ends at ${status.lastIndex} of term ${status.lastTerm}, ` +
      `saved was ${mirrorLast(mirror)} of term ${mirrorLastTerm(mirror)}`,
  );
  const changed = effects.save !== undefined || effects.restore !== undefined;
  if (!changed) return;
  const latest = latestConfigurationBefore(mirror, mirrorLast(mirror) + 1);
  if (!latest?.configuration) return;
  must(
    latest.index === status.configurationIndex &&
      configurationText(latest.configuration) === configurationText(status.configuration),
    'membership',
    () =>
      `${id} goes by the configuration at ${status.configurationIndex}, ` +
      `but the latest in its log is at ${latest.index}`,
  );
}

/** Properties 1 and 4. */
function checkNewLeader(world: World, node: SimNode): void {
  const { id, epoch, mirror } = node;
  const { term } = node.status;
  const { ledger } = world;
  count(world, 'elections');
  const known = ledger.leaders.get(term);
  must(known === undefined, 'election safety', () => `${known} and ${id} both lead term ${term}`);
  ledger.leaders.set(term, `${id}#${epoch}`);
  const index = committedBefore(ledger, term);
  const expected = ledger.committed[index]?.term;
  const own = mirrorTerm(mirror, index);
  must(
    index <= mirrorLast(mirror) && (index <= mirror.offset || own === expected),
    'leader completeness',
    () =>
      `${id} leads term ${term} with ${own === undefined ? 'nothing' : `term ${own}`} at ${index}, ` +
      `where term ${expected} is committed`,
  );
}

/** Property 6. */
function checkCommit(world: World, node: SimNode, { effects, before }: Taken): void {
  const { status, id, disk, mirror } = node;
  const { ledger } = world;
  must(
    status.commit >= before.commit,
    'commit',
    () => `${id} goes back from commit ${before.commit} to ${status.commit}`,
  );
  if (before.role === 'leader' || status.role === 'leader') {
    noteCommitted(world, node, before);
    for (const { request } of effects.send) {
      if (request.kind === 'append') checkTold(world, node, request.commit);
    }
  }
  if (status.commit === before.commit) return;
  must(
    status.commit <= durableLast(disk),
    'commit',
    () => `${id} commits ${status.commit}, but only ${durableLast(disk)} is on its disk`,
  );
  const own = mirrorTerm(mirror, status.commit);
  must(
    status.commit <= commitOf(ledger) &&
      (own === undefined || own === ledger.committed[status.commit]?.term),
    'state machine safety',
    () => `${id} commits ${status.commit} of term ${own}, which no leader committed`,
  );
}

function checkTold({ ledger }: World, { id, status }: SimNode, commit: number): void {
  must(
    commit <= commitOf(ledger),
    'committed is durable',
    () => `${id} tells of commit ${commit} in term ${status.term}, which no quorum has on disk`,
  );
}

/**
 * What is committed, seen from outside: the leader's entries of its own term that a majority of its
 * voters has on disk, and all before them. A leader may know later, but never earlier.
 */
function noteCommitted(world: World, node: SimNode, before: Status): void {
  const { ledger } = world;
  const { mirror, status } = node;
  const { term, configuration } = status.role === 'leader' ? status : before;
  const known = commitOf(ledger);
  if (mirrorLast(mirror) <= known) return;
  const reached: number[] = [];
  for (const { id, suffrage } of configuration.servers) {
    if (suffrage !== 'voter') continue;
    // A disk lost since counts as it was: it confirmed this, and will not vote against it.
    const other = nodeOf(world, id);
    let top = other ? Math.min(mirrorLast(mirror), durableLast(other.disk)) : 0;
    while (top > known && !holds(other!.disk, top, mirrorTerm(mirror, top) ?? 0)) top -= 1;
    reached.push(top);
  }
  reached.sort((a, b) => b - a);
  const index = reached[Math.floor(reached.length / 2)] ?? 0;
  if (index <= known || mirrorTerm(mirror, index) !== term) return;
  for (let at = known + 1; at <= index; at += 1) {
    ledger.committed.push({ term: mirrorTerm(mirror, at) ?? 0, by: term });
    count(world, 'commits');
  }
}
