import { expect } from 'chai';
import { quiet } from '#test/log.ts';
import { createMemoryKeeper, lookEveryMs } from './memory.ts';

const megabyte = 2 ** 20;

/** A process whose memory and work are what the test says. */
function setUp() {
  const state = { held: 300 * megabyte, cpu: 0, needed: 140 * megabyte, collections: 0 };
  const look = createMemoryKeeper({
    resident: () => state.held,
    cpuMs: () => state.cpu,
    collect: () => {
      state.collections++;
      state.held = state.needed;
    },
    log: quiet,
  });
  return { state, look };
}

describe('memory at rest', () => {
  it('is given back below that, where a process is to be small', () => {
    let held = 120 * megabyte;
    const collect = () => void (held = 95 * megabyte);
    const worthBytes = 100 * megabyte;
    createMemoryKeeper({ resident: () => held, cpuMs: () => 0, collect, log: quiet })();
    expect(held).to.equal(120 * megabyte);
    createMemoryKeeper({ resident: () => held, cpuMs: () => 0, collect, log: quiet, worthBytes })();
    expect(held).to.equal(95 * megabyte);
  });

  it('is given back once the work is done', () => {
    const { state, look } = setUp();
    state.cpu += lookEveryMs / 2;
    look();
    expect(state.collections, 'at work').to.equal(0);
    state.cpu += lookEveryMs / 100;
    look();
    expect(state).to.include({ collections: 1, held: 140 * megabyte });
  });

  it('is left alone while it is little', () => {
    const { state, look } = setUp();
    state.held = 150 * megabyte;
    look();
    expect(state.collections).to.equal(0);
  });

  it('is not collected again for nothing', () => {
    const { state, look } = setUp();
    state.needed = 240 * megabyte;
    for (let i = 0; i < 5; i++) look();
    expect(state.collections).to.equal(1);
    state.held = 310 * megabyte;
    look();
    expect(state.collections).to.equal(2);
  });
});
