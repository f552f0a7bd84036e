import { expect } from 'chai';
import { quiet } from '#test/log.ts';
import { exampleState, exampleMember } from '../state/examples.ts';
import type { Announcement, Command } from '../state/types.ts';
import { levelDuty } from './levels.ts';

const older = { features: { min: 1, max: 1 } };

describe('the raising of the feature level', () => {
  /** Runs the duty on a cluster of one, whose member announces itself anew at these times. */
  async function run(until: number, announcements: Record<number, Partial<Announcement>>) {
    const state = exampleState();
    state.run({ type: 'found', clusterId: 'home', epoch: 1, at: 1 });
    state.run({ type: 'announce', member: exampleMember('a', older), at: 1 });
    const raisedAt: number[] = [];
    const ending = new AbortController();
    let now = 0;
    let bootEpoch = 1;
    const duty = levelDuty({
      ...{ log: quiet, elapsed: () => now, raiseAfterMs: 10_000, view: () => state.view() },
      consensus: {
        async propose(command: Command) {
          raisedAt.push(now);
          return state.run(command);
        },
      },
      async pause(ms) {
        now += ms;
        const more = announcements[now];
        if (more) {
          bootEpoch += 1;
          state.run({
            type: 'announce',
            member: exampleMember('a', { ...more, bootEpoch }),
            at: 1,
          });
        }
        if (now >= until) ending.abort();
      },
    });
    await duty.run({ fence: { epoch: 1, term: 1 }, signal: ending.signal });
    return { raisedAt, level: state.view().featureLevel };
  }

  it('waits until all members have known it for a while', async () => {
    expect(await run(20_000, { 3_000: {} })).to.deep.equal({ raisedAt: [13_000], level: 2 });
  });

  it('begins to wait anew when one of them goes back to the release before', async () => {
    const updates = { 3_000: {}, 8_000: older, 12_000: {} };
    expect(await run(21_000, updates)).to.deep.equal({ raisedAt: [], level: 1 });
    expect(await run(30_000, updates)).to.deep.equal({ raisedAt: [22_000], level: 2 });
  });

  it('does nothing as long as one does not know it', async () => {
    expect(await run(60_000, {})).to.deep.equal({ raisedAt: [], level: 1 });
  });
});
