import { expect } from 'chai';
import { createCrew } from './crew.ts';

const patient = 2 ** 30;
const wanted = new AbortController().signal;
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Enters one by one; tells the places in the order they were got. */
function enterAll(crew: ReturnType<typeof createCrew>, count: number) {
  const inside: { nth: number; leave: () => void }[] = [];
  const all = Array.from({ length: count }, async (_, nth) => {
    inside.push({ nth, leave: await crew.enter(wanted) });
  });
  return { inside, all: Promise.all(all) };
}

describe('a crew', () => {
  it('lets in the least, and the next one when one leaves, in the order they came', async () => {
    const crew = createCrew({ least: 2, most: 8, patienceMs: patient });
    const { inside, all } = enterAll(crew, 5);
    await settled();
    expect(inside.map(({ nth }) => nth)).to.deep.equal([0, 1]);
    inside[1]!.leave();
    inside[1]!.leave();
    await settled();
    expect(inside.map(({ nth }) => nth)).to.deep.equal([0, 1, 2]);
    for (let nth = 0; nth < 5; nth += 1) {
      inside[nth]!.leave();
      await settled();
    }
    await all;
    expect(inside.map(({ nth }) => nth)).to.deep.equal([0, 1, 2, 3, 4]);
  });

  it('grows while somebody waits too long, up to the most', async () => {
    const crew = createCrew({ least: 1, most: 3, patienceMs: 1 });
    const { inside } = enterAll(crew, 4);
    while (inside.length < 3) await settled();
    for (let turn = 0; turn < 100; turn += 1) await settled();
    expect(inside.map(({ nth }) => nth)).to.deep.equal([0, 1, 2]);
    for (const { leave } of [...inside]) leave();
    await settled();
    inside[3]!.leave();
  });

  it('is as small as at first when nobody waits any more', async () => {
    const crew = createCrew({ least: 1, most: 3, patienceMs: 1 });
    const first = enterAll(crew, 2);
    await first.all;
    for (const { leave } of first.inside) leave();
    const then = enterAll(crew, 2);
    await settled();
    expect(then.inside.map(({ nth }) => nth)).to.deep.equal([0]);
    then.inside[0]!.leave();
    await then.all;
    then.inside[1]!.leave();
  });

  it('forgets who does not want to wait any more', async () => {
    const crew = createCrew({ least: 1, most: 3, patienceMs: patient });
    const leave = await crew.enter(wanted);
    const controller = new AbortController();
    const said = crew.enter(controller.signal).catch((error: unknown) => String(error));
    const after = enterAll(crew, 1);
    controller.abort(new Error('no longer wanted'));
    expect(await said).to.contain('no longer wanted');
    const late = crew.enter(controller.signal).catch((error: unknown) => String(error));
    expect(await late).to.contain('no longer wanted');
    leave();
    await after.all;
    after.inside[0]!.leave();
  });
});
