import { expect } from 'chai';
import { planChange, type PlanWish } from './plan.ts';

/** `a*` leads, `b` votes, `c!` votes and is not well, `(d)` learns. */
function readingsOf(text: string): PlanWish['readings'] {
  const words = text.split(' ');
  const idOf = (word: string) => word.replace(/[^a-z]/g, '');
  return {
    leaderId: idOf(words.find((word) => word.includes('*')) ?? ''),
    servers: words.map((word) => ({
      id: idOf(word),
      suffrage: word.startsWith('(') ? ('nonvoter' as const) : ('voter' as const),
    })),
    health: words.map((word) => ({ id: idOf(word), isHealthy: !word.includes('!') })),
  };
}

const cases: readonly [string, PlanWish['kind'], string, string, RegExp | undefined][] = [
  ['a* b (c)', 'promote', 'c', '0 → 1', undefined],
  ['a* b (c!)', 'promote', 'c', '0 → 0', /not well or not caught up/],
  ['a* b c', 'promote', 'c', '1 → 1', /has a vote already/],
  ['a* b c', 'demote', 'c', '1 → 0', undefined],
  ['a* (b)', 'demote', 'b', '0 → 0', /has no vote/],
  ['a* b c', 'remove', 'a', '1 → 0', /leads: hand leadership over first/],
  ['a* b c! d', 'remove', 'c', '0 → 1', undefined],
  ['a* b! c', 'remove', 'c', '0 → 0', /only 1 answer, and 2 are needed/],
  ['a* b (c)', 'remove', 'c', '0 → 0', undefined],
  ['a*', 'remove', 'a', '0 → 0', /leads/],
];

describe('the plan of a change of members', () => {
  for (const [text, kind, id, tolerance, refusal] of cases) {
    it(`${text}: ${kind} ${id} ${refusal ? 'is refused' : 'is fine'}`, () => {
      const plan = planChange({ kind, id, name: id, readings: readingsOf(text) });
      const { before, after } = plan.failureTolerance;
      expect(`${before} → ${after}`).to.equal(tolerance);
      if (refusal) expect(plan.refusal?.text).to.match(refusal);
      else expect(plan.refusal).to.equal(undefined);
      expect(plan.steps).to.not.deep.equal([]);
    });
  }

  for (const [kind, votesByItself, steps] of [
    ['demote', true, ['demote', 'returns']],
    ['demote', false, ['demote']],
    ['promote', true, ['promote']],
    ['remove', true, ['takeOut', 'forget']],
  ] as const) {
    it(`${kind} is told whole where votes are ${votesByItself ? '' : 'not '}given by themselves`, () => {
      const readings = readingsOf('a* b c');
      const plan = planChange({ kind, id: 'c', name: 'c', readings, votesByItself });
      expect(plan.steps.map(({ code }) => code)).to.deep.equal(steps);
    });
  }
});
