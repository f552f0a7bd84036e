import type { Bulk, Failure } from './protocol.ts';

/** What a thread answers; `device` as in `FromProcess`. */
export type Answer = { device?: string } & ({ value: unknown } | Failure);

/** A file of a local disk takes less, one of a share in the network more: it is waited for. */
const promptMs = 0.25;
const partsMax = 4;
const rootsMax = 256;

/** Into how many parts a call is cut, by how long files of its root took the last time. */
export interface Pace {
  parts(call: Bulk): number;
  /** How long a call took in that many parts. */
  note(call: Bulk, took: { readonly ms: number; readonly parts: number }): void;
}

export function createPace(): Pace {
  const parts = new Map<string, number>();
  const keyOf = ({ name, input }: Bulk) => `${name} ${input.root}`;
  return {
    parts: (call) => parts.get(keyOf(call)) ?? 1,
    note(call, took) {
      const paths = pathsOf(call).length;
      if (paths === 0) return;
      if (parts.size > rootsMax) parts.clear();
      const msPerPath = (took.ms * took.parts) / paths;
      parts.set(keyOf(call), Math.min(Math.max(Math.ceil(msPerPath / promptMs), 1), partsMax));
    },
  };
}

/** The paths that a call is about. */
export const pathsOf = ({ input }: Bulk): readonly string[] =>
  'paths' in input ? input.paths : [input.path];

/** A call in so many parts of the same size, or fewer. */
export function partsOf(call: Bulk, parts: number): Bulk[] {
  const { input } = call;
  if (parts === 1 || !('paths' in input) || input.paths.length === 0) return [call];
  const size = Math.ceil(input.paths.length / parts);
  return Array.from({ length: Math.ceil(input.paths.length / size) }, (_, nth) => {
    const paths = input.paths.slice(nth * size, (nth + 1) * size);
    return { ...call, input: { ...input, paths } } as Bulk;
  });
}

/** The answer to a call by those to its parts; the first failure is that of all. */
export function merge(answers: readonly Answer[]): Answer {
  const [first] = answers;
  if (first === undefined || answers.length === 1) return first ?? { value: [] };
  const failed = answers.find((answer) => 'failed' in answer);
  if (failed !== undefined) return failed;
  return { ...first, value: answers.flatMap((answer) => ('value' in answer ? answer.value : [])) };
}
