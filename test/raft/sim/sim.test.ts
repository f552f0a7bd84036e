import { expect } from 'chai';
import { createRaft } from '#cluster/raft/core/raft.ts';
import { runSeed } from './run.ts';

const base = Number(process.env['REVENGE_SIM_SEED'] ?? Date.now() % 1_000_000);
const budgetMs = Number(process.env['REVENGE_SIM_MS'] ?? 20_000);
const events = 1500;

describe('simulated clusters', function () {
  this.timeout(budgetMs + 30_000);

  it(`keep the thirteen properties, from seed ${base} on`, function () {
    const until = Date.now() + budgetMs;
    const totals = new Map<string, number>();
    let seed = base;
    for (; seed < base + 400 && Date.now() < until; seed += 1) {
      const nodes = [3, 5, 4, 5][seed % 4] ?? 5;
      const { failure, counts } = runSeed({ seed, nodes, events, createRaft });
      const replay = `npm run sim -- --seed ${seed} --nodes ${nodes} --events ${events} --story`;
      expect(failure, `${replay}\n`).to.equal(undefined);
      for (const [what, count] of Object.entries(counts)) {
        totals.set(what, (totals.get(what) ?? 0) + count);
      }
    }
    // What never happens proves nothing.
    const wanted = [
      ...['elections', 'commits', 'writes done', 'reads done', 'changes', 'transfers'],
      ...['snapshots', 'installs', 'restores', 'crashes', 'pauses', 'cuts', 'resets', 'wipes'],
    ];
    if (seed - base < 100) return;
    for (const what of wanted) expect(totals.get(what) ?? 0, what).to.be.greaterThan(0);
  });

  it('come out the same from the same seed', () => {
    for (const seed of [1, 2, 3]) {
      const [one, two] = [0, 1].map(() => runSeed({ seed, nodes: 5, events, createRaft }));
      expect(one?.hash).to.equal(two?.hash);
      expect(one?.steps).to.equal(two?.steps);
      const told = runSeed({ seed, nodes: 5, events, createRaft, isTold: true });
      expect(told.hash).to.equal(one?.hash);
      expect(told.story?.chart(5)[0]).to.equal('sequenceDiagram');
    }
  });
});
