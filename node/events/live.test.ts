import { expect } from 'chai';
import { UnannouncedError } from '#cluster/member/announce.ts';
import { foundedState, exampleMember } from '#cluster/state/examples.ts';
import { levels } from '#cluster/state/features.ts';
import type { Command, Result } from '#cluster/state/types.ts';
import type { Event } from '#services/events.ts';
import type { Effects } from '#storage/cluster/outbox.ts';
import { quiet } from '#test/log.ts';
import { createLiveEvents } from './live.ts';

/** Live events over a state that is fed at once, as if this node led; of old members if wanted. */
function setUp({ isShared = true } = {}) {
  const state = foundedState();
  const max = isShared ? levels.events : levels.events - 1;
  const member = exampleMember('a', { features: { min: 1, max } });
  state.run({ type: 'announce', member, at: 0 });
  const announced: Effects[] = [];
  const proposed: Command[] = [];
  const dropped: string[] = [];
  let isLed = true;
  const propose = async (command: Command): Promise<Result> => {
    if (!isLed) throw new UnannouncedError();
    proposed.push(command);
    return state.run(command);
  };
  const events = createLiveEvents({
    member: {
      ...{ state, propose },
      async announce({ tags, told }) {
        announced.push({ tags, ...(told ? { told } : {}) });
        const batches = told ? [told] : [];
        await propose({ type: 'events', tags, batches });
        return isLed;
      },
    },
    randomId: () => `batch ${proposed.length}`,
    pause: () => Promise.resolve(),
    onDropped: (count, why) => dropped.push(`${count} ${why}`),
    ...{ log: quiet, now: () => 7 },
  });
  const heard: Event[] = [];
  const listener = { tell: (event: Event) => void heard.push(event), lost: () => undefined };
  const subscription = events.ring.subscribe(listener);
  const lead = (leads: boolean) => (isLed = leads);
  return { events, state, heard, announced, proposed, dropped, subscription, lead };
}
const item = { kind: 'movie', itemId: 'i', libraryId: 'l' };
const scan = { scanId: 's', libraryId: 'l' };
const settled = () => new Promise<void>((resolve) => setTimeout(resolve));

describe('live events', () => {
  it('go by the log, with their place in it, also those of no transaction', async () => {
    const { events, state, heard, proposed } = setUp();
    events.publish('item.added', item, { permission: 'movies:read' });
    await settled();
    const { index } = state.view();
    expect(proposed.map(({ type }) => type)).to.deep.equal(['events']);
    expect(heard).to.deep.equal([
      {
        id: `${index}-1`,
        index,
        at: 7,
        name: 'item.added',
        audience: { permission: 'movies:read' },
        payload: item,
      },
    ]);
  });

  it('of a change are what its transaction wrote down', async () => {
    const { events, heard, announced } = setUp();
    const text = events.encode('item.updated', item)!;
    const effects = { tags: ['movie:i'], told: { id: 'x', events: [text] } };
    expect(await events.announce(effects, 1)).to.equal(true);
    expect(announced).to.deep.equal([effects]);
    expect(heard.map(({ name }) => name)).to.deep.equal(['item.updated']);
    await events.announce(effects, 1);
    expect(heard, 'once, though it came twice').to.have.length(1);
  });

  it('tell that a scan is over after how far it was', async () => {
    const { events, heard } = setUp();
    events.publish('scan.progress', { ...scan, phase: 'walk', done: 1, total: 2 });
    const over = events.encode('scan.finished', { ...scan, state: 'completed' })!;
    await events.announce({ tags: [], told: { id: 'x', events: [over] } }, 1);
    expect(heard.map(({ name }) => name)).to.deep.equal(['scan.progress', 'scan.finished']);
  });

  it('are told here alone while not all members know how', async () => {
    const { events, heard, announced, subscription } = setUp({ isShared: false });
    const text = events.encode('item.updated', item)!;
    events.publish('item.added', item);
    await events.announce({ tags: ['t'], told: { id: 'x', events: [text] } }, 1);
    expect(announced).to.deep.equal([{ tags: ['t'] }]);
    expect(heard.map(({ id, name }) => [id, name])).to.deep.equal([
      ['0-0', 'item.added'],
      ['0-0', 'item.updated'],
    ]);
    expect(subscription.position()).to.equal('0-0');
  });

  it('are counted when they cannot be told', async () => {
    const { events, dropped, lead } = setUp();
    lead(false);
    events.publish('item.added', item);
    events.publish('item.added', { ...item, itemId: 'x'.repeat(5_000) });
    await settled();
    expect(dropped).to.have.members(['1 too-long', '1 no-leader']);
  });
});
