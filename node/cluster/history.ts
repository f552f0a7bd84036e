import type { Member } from '#cluster/member/member.ts';
import type { View } from '#cluster/state/types.ts';
import type { ClusterEvent } from './control.ts';

const keptMax = 500;

/** The transitions this node has seen since it started, oldest first. */
export function recordHistory(
  member: Pick<Member, 'state' | 'offices' | 'consensus'>,
  now: () => number,
): () => readonly ClusterEvent[] {
  const events: ClusterEvent[] = [];
  const note = (kind: string, message: string) => {
    events.push({ at: now(), kind, message });
    if (events.length > keptMax) events.shift();
  };
  let said = '';
  member.consensus.onLeadership(({ leader, term, role }) => {
    const message = leader ? `${leader.id ?? leader.address} leads in term ${term}` : 'no leader';
    if (message === said) return;
    said = message;
    note('leader', role === 'leader' ? `${message}: this node` : message);
  });
  member.offices.onChange((office) => {
    if (office) note('office', `this node took office in term ${office.fence.term}`);
  });
  let before = member.state.view();
  member.state.onChange((view) => {
    for (const message of differences(before, view)) note('members', message);
    before = view;
  });
  return () => events;
}

function* differences(before: View, view: View): Generator<string> {
  if (view.members === before.members) return;
  for (const [id, { name, isDraining, bootEpoch }] of view.members) {
    const known = before.members.get(id);
    if (!known) yield `${name} (${id}) is a member`;
    else if (known.bootEpoch !== bootEpoch) yield `${name} (${id}) has started again`;
    else if (known.isDraining !== isDraining) {
      yield `${name} (${id}) ${isDraining ? 'is drained: it takes no new work' : 'takes work again'}`;
    }
  }
  for (const [id, { name }] of before.members) {
    if (!view.members.has(id)) yield `${name} (${id}) is no longer a member`;
  }
}
