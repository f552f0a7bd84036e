import { expect } from 'chai';
import { createRaft } from '#cluster/raft/core/raft.ts';
import type { Catch } from './hunt.ts';
import { hunt, table } from './hunt.ts';
import { occurrences } from './mutant.ts';
import { mutations } from './mutations.ts';
import { transcripts } from './transcripts.ts';

const isComplete = process.env['REVENGE_SIM_MUTATIONS'] === 'all';
const budgetMs = isComplete ? Infinity : 60_000;

describe('cores that are wrong', function () {
  this.timeout(isComplete ? 3_600_000 : budgetMs + 60_000);

  it('are at least 25, each one change of one place', () => {
    expect(mutations.length).to.be.at.least(25);
    for (const mutation of mutations) {
      expect(occurrences(mutation), `${mutation.file}: ${mutation.from}`).to.equal(1);
    }
  });

  it('are told from the right one by the transcripts', () => {
    for (const [name, transcript] of Object.entries(transcripts)) {
      expect(
        mutations.some((mutation) => mutation.name === name),
        name,
      ).to.equal(true);
      expect(transcript(createRaft), name).to.equal(undefined);
    }
  });

  it('are all caught', async () => {
    const until = Date.now() + budgetMs;
    const catches: Catch[] = [];
    for (const mutation of mutations) {
      const maxMs = until - Date.now();
      // Those that the time does not suffice for are left to REVENGE_SIM_MUTATIONS=all.
      if (maxMs <= 0) break;
      const budget = { firstSeed: mutation.seed ?? 1, maxSeeds: 500, maxMs };
      catches.push(await hunt(mutation, transcripts[mutation.name], budget));
    }
    console.log(table(catches));
    const missed = catches.filter(({ how }) => how === undefined);
    if (Date.now() >= until) missed.pop();
    expect(missed.map(({ mutation }) => mutation.name)).to.deep.equal([]);
  });
});
