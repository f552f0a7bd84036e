import type { Mutation } from './mutant.ts';
import { loadMutant } from './mutant.ts';
import { runSeed } from './run.ts';
import type { CreateRaft } from './types.ts';

export interface Catch {
  readonly mutation: Mutation;
  /** What gave it away: a broken property, or the name of a directed transcript. */
  readonly how: string | undefined;
  readonly seeds: number;
  readonly steps: number;
}

export interface Budget {
  readonly firstSeed: number;
  readonly maxSeeds: number;
  readonly maxMs: number;
}

/** A transcript answers with what it saw go wrong, or with undefined when all was well. */
export type Transcript = (createRaft: CreateRaft) => string | undefined;

const events = 2500;

/** Lets the wrong core run, world after world, until a property breaks. */
export async function hunt(
  mutation: Mutation,
  transcript: Transcript | undefined,
  { firstSeed, maxSeeds, maxMs }: Budget,
): Promise<Catch> {
  const createRaft = await loadMutant(mutation);
  const seen = transcript?.(createRaft);
  if (seen !== undefined) return { mutation, how: `transcript: ${seen}`, seeds: 0, steps: 0 };
  const until = Date.now() + maxMs;
  let steps = 0;
  let seed = firstSeed;
  for (; seed < firstSeed + maxSeeds && Date.now() < until; seed += 1) {
    const result = runSeed({ seed, nodes: [3, 5, 4, 3][seed % 4] ?? 3, events, createRaft });
    steps += result.steps;
    if (result.failure) {
      return { mutation, how: result.failure.property, seeds: seed - firstSeed + 1, steps };
    }
  }
  return { mutation, how: undefined, seeds: seed - firstSeed, steps };
}

export function table(catches: readonly Catch[]): string {
  const rows = catches.map(({ mutation, how, seeds, steps }) => [
    mutation.name,
    how ?? 'NOT CAUGHT',
    String(seeds),
    String(steps),
  ]);
  const head = ['mutation', 'caught by', 'seeds', 'events'];
  const widths = head.map((title, at) =>
    Math.max(title.length, ...rows.map((row) => row[at]!.length)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at]!)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
