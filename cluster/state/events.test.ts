import { expect } from 'chai';
import fc from 'fast-check';
import { commandEntry, exampleMember } from './examples.ts';
import { levels } from './features.ts';
import { limits } from './limits.ts';
import { createState, type ClusterState } from './state.ts';
import type { Batch, Command } from './types.ts';

const founding: Command[] = [
  { type: 'found', clusterId: 'home', epoch: 1, at: 0 },
  {
    type: 'announce',
    member: exampleMember('a', { features: { min: 1, max: levels.events } }),
    at: 0,
  },
];
const events = (batches: readonly Batch[], tags: readonly string[] = []): Command => ({
  type: 'events',
  tags,
  batches,
});

/** A founded state, and the events it tells, each with how far behind the founding it is. */
function heard(state: ClusterState = createState()) {
  const told: [number, readonly string[]][] = [];
  state.onEvents((index, texts) => told.push([index % 2 ** 32, texts]));
  return { state, told };
}
const apply = (state: ClusterState, from: number, ...commands: Command[]) =>
  state.machine.apply(commands.map((each, place) => commandEntry(from + place, each)));

describe('events in the log', () => {
  it('are told in order, after their tags are stale, and change the state by their ids only', () => {
    const { state, told } = heard();
    const order: string[] = [];
    state.onInvalidate((_index, tags) => order.push(...tags));
    state.onEvents((_index, texts) => order.push(...texts));
    state.onChange(() => order.push('changed'));
    apply(state, 1, ...founding);
    order.length = 0;
    const [result] = apply(state, 3, events([{ id: 'x', events: ['1', '2'] }], ['movie:1']));
    expect(result).to.include({ isDone: true });
    expect(order).to.deep.equal(['movie:1', '1', '2']);
    expect(told).to.deep.equal([[3, ['1', '2']]]);
    expect(state.view().told).to.deep.equal(['x']);
  });

  it('are known again when they come twice, be it in one command', () => {
    const { state, told } = heard();
    const [x, y] = [
      { id: 'x', events: ['1'] },
      { id: 'y', events: ['2'] },
    ];
    apply(state, 1, ...founding, events([x, x, y]), events([x, { id: 'z', events: ['3'] }, y]));
    apply(state, 5, events([x]));
    expect(told).to.deep.equal([
      [3, ['1', '2']],
      [4, ['3']],
    ]);
  });

  it('are forgotten after so many others', () => {
    const { state, told } = heard();
    apply(state, 1, ...founding, events([{ id: 'first', events: ['1'] }]));
    for (let nth = 0; nth < limits.told; nth += limits.events) {
      const ids = Array.from({ length: limits.events }, (_, at) => `${nth + at}`);
      apply(state, 4 + nth / limits.events, events(ids.map((id) => ({ id, events: [] }))));
    }
    expect(state.view().told).to.have.length(limits.told).and.not.include('first');
    told.length = 0;
    const next = (state.view().index % 2 ** 32) + 1;
    apply(state, next, events([{ id: `${limits.told - 1}`, events: ['x'] }]));
    apply(state, next + 1, events([{ id: 'first', events: ['1'] }]));
    expect(told).to.deep.equal([[next + 1, ['1']]]);
  });

  it('stay out of a log that not all members could read', () => {
    const { state, told } = heard();
    const old = exampleMember('a', { features: { min: 1, max: levels.events - 1 } });
    apply(state, 1, founding[0]!, { type: 'announce', member: old, at: 0 });
    const [result] = apply(state, 3, events([{ id: 'x', events: ['1'] }]));
    expect(result).to.include({ isDone: false, why: 'features-unsupported' });
    expect([told, state.view().told]).to.deep.equal([[], []]);
  });

  it('are told alike by all nodes, once each, also by one that begins with a snapshot', async () => {
    const batch = fc
      .tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), fc.nat(2))
      .map(([id, count]) => ({ id, events: Array.from({ length: count }, (_, n) => `${id}${n}`) }));
    const log = fc.array(
      fc.array(batch, { maxLength: 3 }).map((each) => events(each)),
      {
        maxLength: 12,
      },
    );
    await fc.assert(
      fc.asyncProperty(log, fc.nat(12), async (commands, cut) => {
        const whole = heard();
        apply(whole.state, 1, ...founding, ...commands);
        const first = createState();
        apply(first, 1, ...founding, ...commands.slice(0, cut));
        const later = heard();
        await later.state.machine.restore(first.machine.snapshot());
        apply(later.state, 3 + Math.min(cut, commands.length), ...commands.slice(cut));
        expect(later.told).to.deep.equal(whole.told.filter(([index]) => index >= 3 + cut));
        expect(later.state.hash()).to.equal(whole.state.hash());
        const ids = commands.flatMap((each) => ('batches' in each ? each.batches : []));
        const once = new Set(ids.map(({ id }) => id));
        expect(new Set(whole.state.view().told)).to.deep.equal(once);
      }),
    );
  });
});
