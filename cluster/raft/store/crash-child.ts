// Saves without end and says so, for the test that kills it: `try N` before, `done N` after.
import { writeSync } from 'node:fs';
import type { Boot, Configuration, Entry, Save } from '../core/types.ts';
import { openRaftStore } from './store.ts';

const configuration: Configuration = {
  servers: [{ id: 'n1', address: '127.0.0.1:7001', suffrage: 'voter' }],
};

/** What the disk must hold: the log as far as it is not cut. */
export interface Model extends Boot {
  readonly entries: Entry[];
}

export const emptyModel = (): Model => ({
  hardState: { term: 0, vote: undefined },
  snapshot: undefined,
  entries: [],
});

/** Cutting is lazy, so the model never cuts: whoever compares looks at what both have. */
export function applyToModel(model: Model, save: Save): Model {
  const { snapshot = model.snapshot, hardState = model.hardState, truncateFrom } = save;
  let entries = model.entries;
  if (save.snapshot) {
    const { index, term } = save.snapshot;
    if (entries.find((entry) => entry.index === index)?.term !== term) entries = [];
  }
  if (truncateFrom !== undefined) entries = entries.filter(({ index }) => index < truncateFrom);
  return { hardState, snapshot, entries: [...entries, ...save.entries] };
}

/** Save `number` onto what is there, chosen by dice: the same dice give the same story. */
export function nextSave(model: Model, number: number, dice: (sides: number) => number): Save {
  const last = model.entries.at(-1)?.index ?? model.snapshot?.index ?? 0;
  const end = model.snapshot?.index ?? 0;
  const { term } = model.hardState;
  const base = { number, mustSync: true };
  const kind = term === 0 ? 0 : dice(10);
  if (kind === 0) {
    const vote = dice(2) ? { id: `n${dice(3)}`, address: `a:${dice(3)}` } : undefined;
    return { ...base, hardState: { term: term + 1 + dice(2), vote }, entries: [] };
  }
  if (kind === 1 && last > end) {
    const from = end + 1 + dice(last - end);
    return { ...base, truncateFrom: from, entries: entriesFrom(from, 1 + dice(4), term) };
  }
  if (kind === 2 && last > end) {
    const at = model.entries.find(({ index }) => index === end + 1 + dice(last - end));
    if (at) {
      const snapshot = { ...meta(at.index, at.term), configurationIndex: 1 };
      return { ...base, snapshot, compactTo: Math.max(at.index - dice(3), 0), entries: [] };
    }
  }
  if (kind === 3 && dice(4) === 0) {
    return { ...base, snapshot: meta(last + 1 + dice(5), term), entries: [] };
  }
  const entries = entriesFrom(last + 1, 1 + dice(8), term);
  return { ...base, mustSync: dice(5) > 0, entries };
}

const meta = (index: number, term: number) => ({
  index,
  term,
  configuration,
  configurationIndex: 0,
});

const entriesFrom = (from: number, count: number, term: number): Entry[] =>
  Array.from({ length: count }, (_, at) => {
    const index = from + at;
    const data = new Uint8Array(index % 200).fill(index + term);
    return { index, term, type: 'command', data };
  });

/** A small generator of numbers (mulberry32); any will do as long as it is the same twice. */
export function createDice(seed: number): (sides: number) => number {
  let state = seed >>> 0;
  return (sides) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % sides;
  };
}

async function run(dir: string, seed: number): Promise<void> {
  const store = await openRaftStore({ dir });
  const dice = createDice(seed);
  /** Its own, so that whoever replays the story need not know how it was paced. */
  const pace = createDice(seed + 1);
  let model = emptyModel();
  let waiting = 0;
  for (let number = 1; ; number += 1) {
    const save = nextSave(model, number, dice);
    model = applyToModel(model, save);
    writeSync(1, `try ${number}\n`);
    waiting += 1;
    const done = store.save([save]).then(() => {
      waiting -= 1;
      // What is not synced is promised to nobody, but a kill alone does not lose it either.
      writeSync(1, `done ${number}\n`);
    });
    if (waiting > pace(6)) await done;
  }
}

if (import.meta.main) await run(process.argv[2] ?? '', Number(process.argv[3]));
