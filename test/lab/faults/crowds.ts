import { setTimeout as pause } from 'node:timers/promises';
import { memoryOf } from '../memory.ts';
import type { LabNode } from '../node.ts';
import { back, expect, type Faults, type Stage } from './fault.ts';

const crowd = 200;
const crowdMaxMs = 2_000;
const events = '/api/v1/events';

interface Listener {
  /** From the first attempt until the stream began, in milliseconds. */
  readonly waitedMs: number;
  close(): void;
}

/** A client that lists films and listens to events, and tries again until it has both. */
async function comeBack(stage: Stage, node: LabNode, until: number): Promise<Listener> {
  const begin = performance.now();
  const ending = new AbortController();
  for (;;) {
    const listed = await stage.ask(node, '/api/v1/movies?limit=20');
    // One user may have so many streams and no more: that is an answer, too.
    const stream = listed.status === 200 ? await stage.listen(node, events, ending.signal) : 0;
    if (stream === 200 || stream === 429) {
      return { waitedMs: performance.now() - begin, close: () => ending.abort() };
    }
    if (Date.now() > until) throw new Error(`${node.name} does not take its clients back`);
    await pause(200 + 400 * stage.random());
  }
}

const comebackMs = 60_000;

/** All nodes die; their clients come back all at once, as soon as there is somebody. */
async function herd(stage: Stage): Promise<void> {
  stage.nodes.forEach((_, nth) => stage.note(nth, 'down'));
  await Promise.all(stage.nodes.map((node) => node.kill()));
  await Promise.all(stage.nodes.map((_, nth) => back(stage, nth)));
  const until = Date.now() + comebackMs;
  const coming = Array.from({ length: crowd }, (_, nth) =>
    comeBack(stage, stage.nodes[nth % stage.nodes.length]!, until),
  );
  const came = await Promise.all(coming);
  const waited = came.map(({ waitedMs }) => waitedMs).sort((a, b) => a - b);
  const at = (share: number) => Math.round(waited[Math.floor(share * (crowd - 1))]!);
  stage.tell(`${crowd} clients: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, last ${at(1)} ms`);
  came.forEach((each) => each.close());
  expect(at(0.95) <= crowdMaxMs, `p95 of ${crowd} clients coming back: ${at(0.95)} ms`);
}

const listeners = 15;
const writers = 12;
const growthMax = 150 * 2 ** 20;

/** Many changes at once, with listeners that do not read what they are sent. */
async function burst(stage: Stage): Promise<void> {
  const ending = new AbortController();
  const heap = async () => {
    const all = await Promise.all(stage.nodes.map((node) => memoryOf(node)));
    return all.map(({ node }) => node);
  };
  const before = await heap();
  for (const node of stage.nodes) {
    for (let nth = 0; nth < listeners; nth += 1) await stage.listen(node, events, ending.signal);
  }
  let changes = 0;
  const until = Date.now() + stage.outageMs;
  const write = async (nth: number) => {
    const node = stage.nodes[nth % stage.nodes.length]!;
    const film = stage.films[nth % stage.films.length]!;
    while (Date.now() < until) {
      const path = `/api/v1/users/me/favourites/movie/${film}`;
      const method = changes % 2 === 0 ? 'POST' : 'DELETE';
      const { status } = await stage.ask(node, path, { method });
      if (status >= 200 && status < 300) changes += 1;
    }
  };
  await Promise.all(Array.from({ length: writers }, (_, nth) => write(nth)));
  const after = await heap();
  ending.abort();
  const growth = after.map((bytes, nth) => bytes - before[nth]!);
  const inMiB = growth.map((bytes) => Math.round(bytes / 2 ** 20));
  stage.tell(`${changes} changes beside the usual; memory grew by ${inMiB.join(', ')} MiB`);
  expect(changes > 0, 'nothing was changed');
  expect(Math.max(...growth) < growthMax, `memory grew by ${Math.max(...inMiB)} MiB`);
}

/** What happens when very many want something. */
export const crowds: Faults = {
  herd: {
    about: `kill -9 of all nodes; ${crowd} clients come back at once`,
    isGlobal: true,
    gapMs: 30_000,
    stopsWrites: true,
    stopsReads: true,
    run: herd,
  },
  burst: {
    about: 'ten times as many changes, and listeners that do not read',
    isGlobal: true,
    mostTerms: 0,
    run: burst,
  },
};
