import { isAlive, openRoot, toFailure, type Root } from './confine.ts';
import { waitingDisk } from './disk.ts';
import { listDirectory, readWhole, statDirectories, statFile } from './files.ts';
import { beGentle } from './gentle.ts';
import type { BulkName, Calls, Failure } from './protocol.ts';
import type { Answer, Task } from './threads.ts';
import { takeTurns, type Turns } from './turns.ts';

/**
 * A thread of the media process for calls on many files. It waits for the disk itself, as it has
 * nothing else to do, and may be ended at any moment.
 */

// Whoever browses goes before a scan.
beGentle();

interface Work {
  readonly root: Root;
  readonly turns: Turns;
  readonly leave: readonly string[];
}

type BulkWork = {
  [Name in BulkName]: (input: Calls[Name]['input'], work: Work) => Promise<Calls[Name]['output']>;
};

const bulkWork: BulkWork = {
  list: ({ path }, { root, turns }) => listDirectory(root, path, turns),
  listMany: ({ paths }, work) =>
    each(paths, work, (path) => listDirectory(work.root, path, work.turns)),
  statDirectories: ({ paths }, { root, turns }) => statDirectories(root, paths, turns),
  statMany: ({ paths }, work) => each(paths, work, (path) => statFile(work.root, path)),
  readMany: ({ paths, maxBytes }, work) =>
    each(paths, work, (path) => readWhole(work.root, { path, maxBytes })),
  head: async ({ path }, { root, turns, leave }) => {
    const { probeHead } = await import('./probe-file.ts');
    return leave.includes(path) ? undefined : probeHead(root, path, turns);
  },
  lookMany: async ({ paths }, work) => {
    const { lookAt } = await import('./probe-file.ts');
    const { root, turns, leave } = work;
    return each(paths, work, (path) =>
      lookAt(root, path, leave.includes(path) ? undefined : turns),
    );
  },
};

/** Each path's own result or failure; only a mount that fails ends them all. */
async function each<T>(
  paths: readonly string[],
  { root, turns }: Work,
  work: (path: string) => Promise<T>,
): Promise<(T | Failure)[]> {
  const results: (T | Failure)[] = [];
  for (const [at, path] of paths.entries()) {
    turns.throwIfAborted();
    turns.at(at);
    try {
      results[at] = await work(path);
    } catch (error) {
      const failure = toFailure(error);
      if (turns.aborted || (failure.failed === 'unavailable' && !(await isAlive(root)))) {
        throw error;
      }
      results[at] = failure;
    }
  }
  return results;
}

/** Answers one call. */
export default async function answer({ call, turns: shared, leave }: Task): Promise<Answer> {
  const turns = takeTurns(shared);
  let found: { device?: string } = {};
  try {
    const root = await openRoot(waitingDisk, call.input.root);
    found = { device: root.device };
    const work = bulkWork[call.name] as (input: unknown, work: Work) => Promise<unknown>;
    return { ...found, value: await work(call.input, { root, turns, leave }) };
  } catch (error) {
    return { ...found, ...toFailure(error) };
  }
}
