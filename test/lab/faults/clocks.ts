import { setTimeout as pause } from 'node:timers/promises';
import { findFakeTime } from '../clock.ts';
import { victimOf, type Faults, type Stage } from './fault.ts';

const missing = () => (findFakeTime() === undefined ? ['libfaketime'] : []);

/** The wall clock of one node is off for a while; its timers are not. */
async function off(stage: Stage, seconds: number): Promise<void> {
  victimOf(stage).setClock(seconds);
  await pause(stage.outageMs);
  victimOf(stage).setClock(0);
  await pause(settleMs);
}

/** The clock of a node follows within a second. */
const settleMs = 1_500;
const strobeMs = 1_100;
const furthest = 300;
/** Less than a session's token lives: whoever sleeps for longer signs in again. */
const slept = 600;

const steady = { missing, needs: ['clocks'], mostTerms: 0 } as const;

/** What happens to the wall clock of one node. */
export const clocks: Faults = {
  'clock-ahead': {
    about: 'the clock of a node is 5 minutes ahead',
    ...steady,
    run: (stage) => off(stage, furthest),
  },
  'clock-behind': {
    about: 'the clock of a node is 5 minutes behind',
    ...steady,
    run: (stage) => off(stage, -furthest),
  },
  'clock-strobe': {
    about: 'the clock of a node jumps to and fro by 5 minutes, each second',
    ...steady,
    async run(stage) {
      for (let ms = 0, nth = 0; ms < stage.outageMs; ms += strobeMs, nth += 1) {
        victimOf(stage).setClock(nth % 2 === 0 ? furthest : -furthest);
        await pause(strobeMs);
      }
      victimOf(stage).setClock(0);
      await pause(settleMs);
    },
  },
  suspend: {
    about: 'a node stands still, and goes on with a clock that is ten minutes further',
    missing,
    needs: ['clocks'],
    async run(stage) {
      stage.note(stage.victim, 'down');
      victimOf(stage).signal('SIGSTOP');
      await pause(stage.outageMs);
      victimOf(stage).setClock(slept);
      victimOf(stage).signal('SIGCONT');
      await pause(stage.outageMs);
      victimOf(stage).setClock(0);
      await pause(settleMs);
      stage.note(stage.victim, 'up');
    },
  },
};
