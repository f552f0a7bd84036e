import type { Member } from '#cluster/member/member.ts';
import type { View } from '#cluster/state/types.ts';
import type { ClusterEvent } from './control.ts';
import { happened, type EventNotice } from './sayings.ts';

const keptMax = 500;

/** The transitions this node has seen since it started, oldest first. */
export function recordHistory(
  member: Pick<Member, 'state' | 'offices' | 'consensus'>,
  now: () => number,
): () => readonly ClusterEvent[] {
  const events: ClusterEvent[] = [];
  const add = (kind: ClusterEvent['kind'], notice: EventNotice) => {
    events.push({ at: now(), kind, notice });
    if (events.length > keptMax) events.shift();
  };
  let said = '';
  member.consensus.onLeadership(({ leader, term, role }) => {
    const id = leader && (leader.id ?? leader.address);
    const led = id === undefined ? 'nobody' : `${id} ${term}`;
    if (led === said) return;
    said = led;
    if (id === undefined) return add('leader', happened('noLeader', {}));
    const known = member.state.view().members.get(id);
    const name = known ? `${known.name} (${id})` : id;
    add('leader', happened(role === 'leader' ? 'leadsHere' : 'leads', { name, term }));
  });
  member.offices.onChange((office) => {
    if (office) add('office', happened('office', { term: office.fence.term }));
  });
  let before = member.state.view();
  member.state.onChange((view) => {
    for (const notice of differences(before, view)) add('members', notice);
    before = view;
  });
  return () => events;
}

function* differences(before: View, view: View): Generator<EventNotice> {
  if (view.members === before.members) return;
  for (const [id, { name, isDraining, bootEpoch }] of view.members) {
    const known = before.members.get(id);
    if (!known) yield happened('joined', { name, id });
    else if (known.bootEpoch !== bootEpoch) yield happened('restarted', { name, id });
    else if (known.isDraining !== isDraining) {
      yield happened(isDraining ? 'drained' : 'undrained', { name, id });
    }
  }
  for (const [id, { name }] of before.members) {
    if (!view.members.has(id)) yield happened('left', { name, id });
  }
}
