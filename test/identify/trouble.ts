/** A vendor on a bad day: which of its answers go wrong, always the same ones. */
import { createHash } from 'node:crypto';
import type { VendorAnswer } from '../vendor.ts';

export type Trouble =
  'limited' | 'failed' | 'down' | 'cut off' | 'no end' | 'half a document' | 'another form';

/** Percent of the questions that go wrong when they are asked first. */
const shares: readonly (readonly [Trouble, number])[] = [
  ['limited', 2],
  ['failed', 3],
  ['cut off', 2],
  ['half a document', 2],
  ['another form', 5],
];

export interface TroubleOptions {
  /** Answers that never end cost a client its patience: at most so many. */
  readonly endlessMax: number;
  /** From this question on it is down for `outageCount` questions; undefined: never. */
  readonly outageFrom?: number | undefined;
  readonly outageCount?: number;
}

/** Decides about questions one by one; counts what it did. */
export function createTrouble({ endlessMax, outageFrom, outageCount = 6 }: TroubleOptions) {
  const asked = new Set<string>();
  const counts = new Map<Trouble, number>();
  let questions = 0;
  const note = (trouble: Trouble): Trouble => {
    counts.set(trouble, (counts.get(trouble) ?? 0) + 1);
    return trouble;
  };
  const choose = (question: string): Trouble | undefined => {
    questions += 1;
    const sinceOutage = questions - (outageFrom ?? Infinity);
    if (sinceOutage >= 0 && sinceOutage < outageCount) return 'down';
    const isFirst = !asked.has(question);
    asked.add(question);
    const share = createHash('sha1').update(question).digest().readUInt16BE() / 655.36;
    if (share > 99 && isFirst && (counts.get('no end') ?? 0) < endlessMax) return 'no end';
    let from = 0;
    for (const [trouble, percent] of shares) {
      const isIt = share >= from && share < from + percent;
      // What has another form has it every time.
      if (isIt && (isFirst || trouble === 'another form')) return trouble;
      from += percent;
    }
    return undefined;
  };
  return {
    counts,
    /** What is answered to a question instead of what it would have been. */
    disturb(question: string, usual: object): VendorAnswer {
      const trouble = choose(question);
      if (trouble === undefined) return { json: usual };
      return answers[note(trouble)](usual);
    },
  };
}

const answers: Readonly<Record<Trouble, (usual: object) => VendorAnswer>> = {
  limited: () => ({ status: 429, headers: { 'retry-after': '1' }, json: { status_code: 25 } }),
  failed: () => 500,
  down: () => ({ status: 503, text: '<html>Backend fetch failed</html>' }),
  'cut off': () => 'cut',
  'no end': () => 'hang',
  'half a document': (usual) => {
    const text = JSON.stringify(usual);
    return { text: text.slice(0, Math.floor(text.length / 2)) };
  },
  'another form': (usual) => ({ json: drifted(usual) }),
};

/** Numbers as texts, lists as nothing, hits that say nothing: as vendors do when they change. */
function drifted(usual: object): object {
  const { results } = usual as { results?: readonly object[] };
  if (results !== undefined) {
    const odd = results.map((one) => ({ ...one, vote_average: 'n/a', genre_ids: null }));
    return { ...usual, total_pages: '1', results: [{ id: null, name: 7 }, ...odd] };
  }
  return {
    ...usual,
    ...{ vote_average: '7.1', budget: null, genres: null, videos: [], images: { posters: [{}] } },
    ...{ status: 7, invented: { since: 2031 } },
  };
}
