import type { ProviderIds } from '../naming/ids.ts';
import type { Candidate, Locale, WorkProvider, WorkRecord } from './provider.ts';
import { acceptScore, scoreOf, type Wanted } from './score.ts';

/** What is known of a work that is to be found elsewhere. */
export interface WorkFacts extends Wanted {
  readonly ids: ProviderIds;
  readonly language: string;
}

/** A candidate with how surely it is the work. */
export interface Scored extends Candidate {
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
const lookedAtMax = 3;
const nearMargin = 0.04;
/** So many times as many ratings make a film the one that people mean. */
const votesRatio = 5;

/**
 * Finds the record a work is: by the ids it came with, else by title and year. One that is not
 * sure enough is not taken, and is among the candidates. Throws ProviderError.
 */
export async function findWork<Work extends WorkRecord>(
  provider: WorkProvider<Work>,
  facts: WorkFacts,
  locale: Locale,
): Promise<Found<Work>> {
  const id = ownId(provider, facts.ids) ?? (await provider.idOf(facts.ids));
  const record = id === undefined ? undefined : await provider.work(id, locale);
  if (record !== undefined) return { record, basis: 'id', score: 1, candidates: [] };
  const candidates = await searchAll(provider, facts, locale);
  const chosen = await choose(provider, { facts, locale }, candidates);
  const others = candidates.filter((one) => one.id !== chosen?.record.id);
  const kept = others.slice(0, candidatesMax);
  if (chosen === undefined) {
    return { record: undefined, basis: undefined, score: undefined, candidates: kept };
  }
  return { ...chosen, basis: 'title', candidates: kept };
}

const ownId = ({ name }: { name: string }, ids: ProviderIds): string | undefined =>
  (ids as Readonly<Record<string, string | undefined>>)[name];

/** Asks by each title, with the year and then without it, until one is sure enough. */
async function searchAll<Work extends WorkRecord>(
  provider: WorkProvider<Work>,
  facts: WorkFacts,
  locale: Locale,
): Promise<Scored[]> {
  const { year } = facts;
  const years = year === undefined ? [undefined] : [year, undefined];
  const found = new Map<string, Scored>();
  for (const title of facts.titles.slice(0, titlesMax)) {
    for (const within of years) {
      for (const one of await provider.search({ title, year: within }, locale)) {
        if (!found.has(one.id)) found.set(one.id, { ...one, score: scoreOf(facts, knownOf(one)) });
      }
      if ([...found.values()].some(({ score }) => score >= acceptScore)) return ranked(found);
    }
  }
  return ranked(found);
}

/** What a candidate says it is. */
export const knownOf = ({ title, originalTitle, year }: Candidate) => ({
  titles: originalTitle === undefined ? [title] : [title, originalTitle],
  year,
});

const ranked = (found: ReadonlyMap<string, Scored>): Scored[] =>
  [...found.values()].sort((a, b) => b.score - a.score || b.votes - a.votes);

/** The best one, if it is sure enough and no other is as good. */
async function choose<Work extends WorkRecord>(
  provider: WorkProvider<Work>,
  { facts, locale }: { facts: WorkFacts; locale: Locale },
  candidates: readonly Scored[],
): Promise<{ record: Work; score: number } | undefined> {
  const looked: { record: Work; score: number; votes: number }[] = [];
  const top = candidates[0]?.score ?? 0;
  const near = candidates.filter(({ score }) => score >= top - nearMargin).slice(0, lookedAtMax);
  for (const { id, votes } of near) {
    const record = await provider.work(id, locale);
    if (record === undefined) continue;
    const { title, originalTitle = title, otherTitles, year, runtimeMs } = record;
    const titles = [title, originalTitle, ...otherTitles];
    looked.push({ record, score: scoreOf(facts, { titles, year, runtimeMs }), votes });
    // As a rule the first is the one: while nothing speaks against it, no other is asked for.
    const isAsGood = (looked[0]?.score ?? 0) >= top;
    if (isAsGood && isFarAhead(near[0], near[1])) break;
  }
  looked.sort((a, b) => b.score - a.score || b.votes - a.votes);
  const [best, second] = looked;
  if (best === undefined || best.score < acceptScore) return undefined;
  const isAlone =
    second === undefined || best.score - second.score > nearMargin || isFarAhead(best, second);
  return isAlone ? { record: best.record, score: best.score } : undefined;
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
