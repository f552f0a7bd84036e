import { expect } from 'chai';
import { createReach } from './reach.ts';

/** Nodes that answer probes as told, one after the other, and what was told of them. */
function house(answers: readonly boolean[]) {
  const told: boolean[] = [];
  const rests: number[] = [];
  let probes = 0;
  const over = Promise.withResolvers<void>();
  const reach = createReach({
    probe: async () => {
      const answer = answers[probes] ?? true;
      probes += 1;
      if (answer) setImmediate(over.resolve);
      return answer;
    },
    pause: async (ms) => void rests.push(ms),
    onChange: (isSilent) => told.push(isSilent),
  });
  return { reach, told, rests, probes: () => probes, over: over.promise };
}

describe('whether any node can be reached', () => {
  it('is doubted by nobody when one answer alone does not come', async () => {
    const { reach, told, over } = house([true]);
    reach.doubt();
    await over;
    expect(told).to.deep.equal([]);
  });

  it('is told when none answers, and when one does again', async () => {
    const { reach, told, rests, over } = house([false, false, false, true]);
    const silence = reach.silence();
    reach.doubt();
    await silence;
    await over;
    expect(told).to.deep.equal([true, false]);
    expect(rests).to.have.length(3);
  });

  it('is looked for once at a time, and again when it is doubted again', async () => {
    const { reach, told, probes, over } = house([false, true, false, true]);
    for (let i = 0; i < 3; i += 1) reach.doubt();
    await over;
    expect(probes()).to.equal(2);
    reach.doubt();
    await reach.silence();
    expect(told.slice(0, 3)).to.deep.equal([true, false, true]);
  });

  it('is known as soon as any request is answered', async () => {
    const held = Promise.withResolvers<void>();
    const told: boolean[] = [];
    const reach = createReach({
      probe: async () => false,
      pause: () => held.promise,
      onChange: (isSilent) => told.push(isSilent),
    });
    reach.doubt();
    await reach.silence();
    await reach.silence();
    reach.answered();
    reach.answered();
    expect(told).to.deep.equal([true, false]);
  });

  it('is what requests find where probes do not come through, and stays so', async () => {
    const rest = Promise.withResolvers<void>();
    const told: boolean[] = [];
    let probes = 0;
    const reach = createReach({
      probe: async () => {
        probes += 1;
        return false;
      },
      pause: () => (probes === 1 ? rest.promise : new Promise(() => undefined)),
      onChange: (isSilent) => told.push(isSilent),
    });
    reach.doubt();
    await reach.silence();
    reach.answered();
    rest.resolve();
    await new Promise(setImmediate);
    expect(told).to.deep.equal([true, false]);
    expect(probes).to.equal(1);
    reach.doubt();
    await reach.silence();
    expect(told, 'doubted anew').to.deep.equal([true, false, true]);
  });

  it('is not lost by a probe that ends after an answer', async () => {
    const found = Promise.withResolvers<boolean>();
    const told: boolean[] = [];
    const reach = createReach({
      probe: () => found.promise,
      pause: () => new Promise(() => undefined),
      onChange: (isSilent) => told.push(isSilent),
    });
    reach.doubt();
    reach.answered();
    found.resolve(false);
    await new Promise(setImmediate);
    expect(told).to.deep.equal([]);
  });

  it('is looked for less often the longer nobody answers', async () => {
    const { reach, rests, over } = house(Array<boolean>(20).fill(false));
    reach.doubt();
    await over;
    expect(rests[0]).to.equal(2_000);
    expect(rests).to.deep.equal(rests.toSorted((one, other) => one - other));
    expect(rests.at(-1)).to.equal(10_000);
  });
});
