import { setTimeout as pause } from 'node:timers/promises';
import { away, back, softly, victimOf, type Faults, type Stage } from './fault.ts';

/** Kills all nodes at once and starts them again; they find each other by what they remember. */
async function powerCut(stage: Stage, meanwhile: () => void | Promise<void>): Promise<void> {
  stage.nodes.forEach((_, nth) => stage.note(nth, 'down'));
  await Promise.all(stage.nodes.map((node) => node.kill()));
  await meanwhile();
  await Promise.all(stage.nodes.map((_, nth) => back(stage, nth)));
}

const wholeOutage = { isGlobal: true, gapMs: 30_000, stopsWrites: true, stopsReads: true } as const;

/** What happens to processes. */
export const processes: Faults = {
  none: {
    about: 'nothing, to compare with',
    isGlobal: true,
    mostTerms: 0,
    run: ({ outageMs }) => pause(outageMs),
  },
  kill: {
    about: 'kill -9 of a node with its Raft process, started again later',
    run: (stage) => away(stage, (node) => node.kill()),
  },
  'kill-voter': {
    about: 'of two nodes the one that votes is killed, and started again later',
    mostNodes: 2,
    gapMs: 15_000,
    stopsWrites: true,
    run: (stage) => away(stage, (node) => node.kill()),
  },
  'kill-engine': {
    about: 'kill -9 of the Raft process alone',
    async run(stage) {
      const pid = await victimOf(stage).enginePid();
      if (pid === undefined) throw new Error(`${victimOf(stage).name} has no Raft process`);
      stage.note(stage.victim, 'cut');
      process.kill(pid, 'SIGKILL');
      await pause(stage.outageMs);
      await back(stage, stage.victim);
    },
  },
  term: {
    about: 'SIGTERM, started again later',
    isGraceful: true,
    async run(stage) {
      await softly(stage, stage.victim);
      await pause(stage.outageMs);
      await back(stage, stage.victim);
    },
  },
  pause: {
    about: 'SIGSTOP of a node with its Raft process, and SIGCONT',
    async run(stage) {
      stage.note(stage.victim, 'down');
      victimOf(stage).signal('SIGSTOP');
      await pause(stage.outageMs);
      victimOf(stage).signal('SIGCONT');
      stage.note(stage.victim, 'up');
    },
  },
  'pause-host': {
    about: 'SIGSTOP of a node without its Raft process, and SIGCONT',
    async run(stage) {
      stage.note(stage.victim, 'down');
      victimOf(stage).signalMain('SIGSTOP');
      await pause(stage.outageMs);
      victimOf(stage).signalMain('SIGCONT');
      stage.note(stage.victim, 'up');
    },
  },
  block: {
    about: 'the event loop of a node is kept busy, by its inspector',
    async run(stage) {
      stage.note(stage.victim, 'down');
      await victimOf(stage).block(stage.outageMs);
      stage.note(stage.victim, 'up');
    },
  },
  transfer: {
    about: 'leadership is handed on as an operator asks for it, some times',
    isGraceful: true,
    isGlobal: true,
    async run(stage) {
      for (let times = 0; times < 3; times += 1) {
        await stage.transfer();
        await pause(stage.outageMs / 3);
      }
    },
  },
  rolling: {
    about: 'SIGTERM and a new start, one node after the other',
    isGraceful: true,
    isGlobal: true,
    async run(stage) {
      for (let nth = 0; nth < stage.nodes.length; nth += 1) {
        await softly(stage, nth);
        await back(stage, nth);
        await pause(2_000);
      }
    },
  },
  power: {
    about: 'kill -9 of all nodes at once, all started again',
    ...wholeOutage,
    run: (stage) => powerCut(stage, () => undefined),
  },
  move: {
    about: 'kill -9 of all nodes at once, all started again with other addresses',
    ...wholeOutage,
    gapMs: 60_000,
    needs: ['hosts'],
    run: (stage) => powerCut(stage, () => stage.readdress?.()),
  },
  'power-without-database': {
    about: 'kill -9 of all nodes and of PostgreSQL, which comes back last',
    ...wholeOutage,
    gapMs: 60_000,
    async run(stage) {
      stage.nodes.forEach((_, nth) => stage.note(nth, 'down'));
      await Promise.all(stage.nodes.map((node) => node.kill()));
      await stage.postgres.stop();
      for (const node of stage.nodes) node.start();
      await pause(stage.outageMs);
      await stage.postgres.start();
      await Promise.all(stage.nodes.map((_, nth) => back(stage, nth)));
    },
  },
};
