import { expect } from 'chai';
import fc from 'fast-check';
import type { Effects } from '#storage/cluster/outbox.ts';
import { encodeCommand } from '../state/command.ts';
import { limits } from '../state/limits.ts';
import type { Batch, Command } from '../state/types.ts';
import { commandsOf } from './commands.ts';

const batchesOf = (commands: readonly Command[]): readonly Batch[] =>
  commands.flatMap((each) => (each.type === 'events' ? each.batches : []));
const tagsOf = (commands: readonly Command[]): readonly string[] =>
  commands.flatMap((each) => ('tags' in each ? each.tags : []));

describe('the commands of changes', () => {
  const rows: [string, Effects[], Command[]][] = [
    ['nothing is none', [], []],
    ['nothing stale is none', [{ tags: [] }], []],
    [
      'tags alone, each once',
      [{ tags: ['a', 'b'] }, { tags: ['b'] }],
      [{ type: 'invalidate', tags: ['a', 'b'] }],
    ],
    [
      'tags and events in one',
      [{ tags: ['a'], told: { id: 'x', events: ['1'] } }, { tags: ['b'] }],
      [{ type: 'events', tags: ['a', 'b'], batches: [{ id: 'x', events: ['1'] }] }],
    ],
    [
      'events alone',
      [{ tags: [], told: { id: 'x', events: ['1'] } }],
      [{ type: 'events', tags: [], batches: [{ id: 'x', events: ['1'] }] }],
    ],
    [
      'what is too long for any is left out',
      [{ tags: ['a'], told: { id: 'x', events: ['x'.repeat(limits.eventLength + 1)] } }],
      [{ type: 'invalidate', tags: ['a'] }],
    ],
  ];
  for (const [what, changes, commands] of rows) {
    it(what, () => expect(commandsOf(changes)).to.deep.equal(commands));
  }

  const change = fc.record({
    tags: fc.array(fc.nat(2000).map(String), { maxLength: 1200 }),
    count: fc.option(fc.nat(300), { nil: undefined }),
  });
  const changes = fc.array(change, { maxLength: 6 }).map((list) =>
    list.map(({ tags, count }, nth): Effects => {
      const events = Array.from({ length: count ?? 0 }, (_, at) => `${nth}.${at}`);
      return { tags, ...(count === undefined ? {} : { told: { id: `r${nth}`, events } }) };
    }),
  );

  it('hold everything, in order, no event before a tag, and each fits into the log', () => {
    fc.assert(
      fc.property(changes, (list) => {
        const commands = commandsOf(list);
        for (const command of commands) encodeCommand(command);
        expect(new Set(tagsOf(commands))).to.deep.equal(new Set(list.flatMap(({ tags }) => tags)));
        const told = batchesOf(commands).flatMap(({ events }) => events);
        expect(told).to.deep.equal(list.flatMap((each) => each.told?.events ?? []));
        const first = commands.findIndex(({ type }) => type === 'events');
        if (first >= 0) expect(tagsOf(commands.slice(first + 1))).to.deep.equal([]);
      }),
      { numRuns: 50 },
    );
  });

  it('fit into the log whatever they are of', () => {
    const events = Array.from({ length: 300 }, () => '\u0000ש"'.repeat(limits.eventLength / 3 - 1));
    const tags = Array.from({ length: 2000 }, (_, nth) => `${nth}${'ש'.repeat(500)}`);
    const commands = commandsOf([{ tags, told: { id: 'x', events } }]);
    for (const command of commands) encodeCommand(command);
    expect(batchesOf(commands).flatMap((each) => each.events)).to.deep.equal(events);
  });

  it('name the parts of a change alike, whatever it is sent together with', () => {
    fc.assert(
      fc.property(changes, (list) => {
        const together = batchesOf(commandsOf(list));
        const alone = list.flatMap((each) => batchesOf(commandsOf([each])));
        expect(together).to.deep.equal(alone);
        const ids = together.map(({ id }) => id);
        expect(new Set(ids).size).to.equal(ids.length);
      }),
      { numRuns: 50 },
    );
  });
});
