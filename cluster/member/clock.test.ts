import { expect } from 'chai';
import { createCache } from '#storage/cache/index.ts';
import { quiet } from '#test/log.ts';
import { createRaftClock } from './clock.ts';

/** The clock of a node whose log a test moves, and a cache behind it. */
function node() {
  const state = { index: 10, canFollow: true };
  const appliedListeners: ((index: number) => void)[] = [];
  const invalidateListeners: ((index: number, tags: readonly string[]) => void)[] = [];
  const clock = createRaftClock(
    {
      index: () => state.index,
      onInvalidate: (listener) => void invalidateListeners.push(listener),
      onApplied: (listener) => void appliedListeners.push(listener),
      onRestored: () => undefined,
    },
    { announce: () => Promise.reject(new Error('no leader')), canFollow: () => state.canFollow },
  );
  const source = { value: 'old', loads: 0 };
  const cached = createCache({ clock, log: quiet, now: () => 0, l1MaxBytes: 1e6 }).define({
    name: 'progress',
    ttlMs: 60_000,
    async load() {
      source.loads += 1;
      return source.value;
    },
    tags: () => ['user:1'],
  });
  return {
    ...{ clock, state, source },
    get: () => cached.get('1'),
    apply: (tags: readonly string[] = []) => {
      state.index += 1;
      for (const listener of invalidateListeners) listener(state.index, tags);
      for (const listener of appliedListeners) listener(state.index);
    },
  };
}

describe("a cluster's clock", () => {
  it('shows at once, at the node that wrote it, what no leader has announced yet', async () => {
    const { clock, source, get, apply } = node();
    await get();
    source.value = 'new';
    expect(await get(), 'it is cached').to.equal('old');
    clock.written(['user:1']);
    expect(await get()).to.equal('new');
    // Nothing that is loaded counts before the log goes on: it could be from before the write.
    await get();
    expect(source.loads).to.equal(3);
    apply();
    await get();
    await get();
    expect(source.loads).to.equal(4);
    apply(['user:1']);
    expect(await get()).to.equal('new');
    expect(source.loads).to.equal(5);
  });

  it('leaves alone what was not written', async () => {
    const { clock, source, get } = node();
    await get();
    clock.written(['user:2']);
    await get();
    expect(source.loads).to.equal(1);
  });

  it('is waited for only as long as there is hope', async () => {
    const { clock, state, apply } = node();
    state.canFollow = false;
    expect(await clock.waitFor(11, 600_000)).to.equal(false);
    state.canFollow = true;
    const waited = clock.waitFor(11, 600_000);
    apply();
    expect(await waited).to.equal(true);
  });
});
