import type { ProviderIds } from '../naming/ids.ts';
import { askedOtherwise, longestWords } from './likeness.ts';
import type {
  Candidate,
  EpisodeOrder,
  Locale,
  TitleQuery,
  WorkProvider,
  WorkRecord,
} from './provider.ts';
import {
  acceptScore,
  scoreOf,
  splitCountry,
  yearPenalty,
  type Known,
  type Wanted,
} from './score.ts';

/** What is known of a work that is to be found elsewhere. */
export interface WorkFacts extends Wanted {
  readonly ids: ProviderIds;
  readonly language: string;
  /** In which its parts count, as a person says. */
  readonly order?: EpisodeOrder | undefined;
}

/** A candidate with how surely it is the work. */
export interface Scored extends Candidate {
  /** Whose it is; undefined in what was kept before there were several. */
  readonly provider?: string | undefined;
  readonly score: number;
}

/** Which record a work is, and which others it might have been. */
export interface Found<Work extends WorkRecord = WorkRecord> {
  readonly record: Work | undefined;
  readonly basis: 'id' | 'title' | undefined;
  readonly score: number | undefined;
  readonly candidates: readonly Scored[];
}

const titlesMax = 3;
const candidatesMax = 8;
/** Candidates that no score tells apart are looked at whole: their running times may differ. */
const nearMax = 3;
const furtherMax = 4;
/** Searches by other words than a title's own. */
const otherwiseMax = 6;
const nearMargin = 0.04;
/** So many times as many ratings make a film the one that people mean. */
const votesRatio = 5;

/** The record with one of these ids; undefined: it knows none of them. Throws ProviderError. */
export async function findById<Work extends WorkRecord>(
  provider: WorkProvider<Work>,
  ids: ProviderIds,
  locale: Locale,
): Promise<Work | undefined> {
  const id = ownId(provider, ids) ?? (await provider.idOf(ids));
  return id === undefined ? undefined : provider.work(id, locale);
}

/**
 * Finds the record a work is by title and year. One that is not sure enough is not taken, and is
 * among the candidates. Throws ProviderError.
 */
export async function findByTitle<Work extends WorkRecord>(
  provider: WorkProvider<Work>,
  facts: WorkFacts,
  locale: Locale,
): Promise<Found<Work>> {
  const search = createSearch(provider, facts, locale);
  for (const queries of queriesOf(facts)) {
    await search.ask(queries);
    if (await search.look()) break;
  }
  return search.result();
}

const ownId = ({ name }: { name: string }, ids: ProviderIds): string | undefined =>
  (ids as Readonly<Record<string, string | undefined>>)[name];

/** What to ask for, one title after the other: providers find only what has all the words. */
export function queriesOf({ titles, year }: Wanted): TitleQuery[][] {
  const asked = titles.slice(0, titlesMax);
  const bare = asked.flatMap((title) => splitCountry(title)?.title ?? []);
  const others = [...bare, ...asked.flatMap(askedOtherwise)].slice(0, otherwiseMax);
  const years = year === undefined ? [undefined] : [year, undefined];
  const whole = [...asked, ...others].map((title) =>
    years.map((within) => ({ title, year: within })),
  );
  // A word alone finds too much where no year is known.
  const words = year === undefined ? [] : asked.slice(0, 1).flatMap(longestWords);
  return [...whole, ...words.map((title) => [{ title, year }])];
}

/** A candidate, and how surely it is the work by what it says of itself. Pure. */
export function scored(provider: { name: string }, wanted: Wanted, candidate: Candidate): Scored {
  const { title, originalTitle = title, otherTitles = [], year, countries } = candidate;
  const titles = [title, originalTitle, ...otherTitles];
  const score = scoreOf(wanted, { titles, year, countries });
  return { ...candidate, provider: provider.name, score };
}

const ranked = (found: ReadonlyMap<string, Scored>): Scored[] =>
  [...found.values()].sort((a, b) => b.score - a.score || b.votes - a.votes);

/** What has been found of a work so far, and looked at. */
function createSearch<Work extends WorkRecord>(
  provider: WorkProvider<Work>,
  facts: WorkFacts,
  locale: Locale,
) {
  const found = new Map<string, Scored>();
  const looked = new Map<string, Looked<Work>>();
  const seen = new Set<string>();
  const isSure = (list: Iterable<{ readonly score: number }>) =>
    [...list].some(({ score }) => score >= acceptScore);
  const lookAt = async ({ id, votes }: Scored): Promise<void> => {
    if (seen.has(id)) return;
    seen.add(id);
    const record = await provider.work(id, locale);
    if (record !== undefined)
      looked.set(id, { record, score: scoreOf(facts, told(record)), votes });
  };
  return {
    /** Asks until one of the candidates is sure enough. */
    async ask(queries: readonly TitleQuery[]): Promise<void> {
      for (const query of queries) {
        for (const one of await provider.search(query, locale)) {
          if (!found.has(one.id)) found.set(one.id, scored(provider, facts, one));
        }
        if (isSure(found.values())) return;
      }
    },
    /** Looks at the records of those that may be the work; true when one of them is. */
    async look(): Promise<boolean> {
      const candidates = ranked(found);
      const top = candidates[0]?.score ?? 0;
      const near = candidates.filter(({ score }) => score >= top - nearMargin).slice(0, nearMax);
      for (const one of near) {
        await lookAt(one);
        // As a rule the first is the one: while nothing speaks against it, no other is asked for.
        const isAsGood = (looked.get(one.id)?.score ?? 0) >= top;
        if (one === near[0] && isAsGood && isFarAhead(one, near[1])) break;
      }
      // A search does not say all titles of what it finds: it may be the work by another one.
      const rest = candidates.filter((one) => !near.includes(one) && mayBe(facts, one));
      for (const one of rest.slice(0, furtherMax)) {
        if (isSure(looked.values())) break;
        await lookAt(one);
      }
      return isSure(looked.values());
    },
    result(): Found<Work> {
      const taken = theOne([...looked.values()]);
      const known = [...found].map(([id, one]) => {
        // What a search tells of them is kept with the work, but for what nobody is shown.
        const score = looked.get(id)?.score ?? one.score;
        return [id, { ...one, otherTitles: undefined, score }] as const;
      });
      const others = ranked(new Map(known)).filter(({ id }) => id !== taken?.record.id);
      const candidates = others.slice(0, candidatesMax);
      const { record, score } = taken ?? {};
      return { record, score, basis: record === undefined ? undefined : 'title', candidates };
    },
  };
}

interface Looked<Work> extends Voted {
  readonly record: Work;
}

const told = (record: WorkRecord): Known => {
  const { title, originalTitle = title, otherTitles, year, runtimeMs, countries } = record;
  return { titles: [title, originalTitle, ...otherTitles], year, runtimeMs, countries };
};

/** Whether it would be sure enough if one of its titles were the work's. */
const mayBe = (facts: WorkFacts, { year }: Candidate): boolean =>
  1 - yearPenalty(facts.year, year) >= acceptScore;

function theOne<Work>(looked: readonly Looked<Work>[]): Looked<Work> | undefined {
  const [best, second] = looked.toSorted((a, b) => b.score - a.score || b.votes - a.votes);
  if (best === undefined || best.score < acceptScore) return undefined;
  const isAlone =
    second === undefined || best.score - second.score > nearMargin || isFarAhead(best, second);
  return isAlone ? best : undefined;
}

interface Voted {
  readonly votes: number;
  readonly score: number;
}

/** As good as the other, and known to far more people. */
const isFarAhead = (best: Voted | undefined, second: Voted | undefined): boolean =>
  best !== undefined &&
  second !== undefined &&
  best.score >= second.score &&
  best.votes >= 20 &&
  best.votes >= votesRatio * Math.max(second.votes, 1);
