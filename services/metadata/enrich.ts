import { isBadValue } from '#storage/postgres/errors.ts';
import type { Artwork } from '../artwork/index.ts';
import type { Store } from '../changes.ts';
import { bareLanguage } from '../languages.ts';
import type { JobContext } from '../jobs/job.ts';
import { safeMessage } from '../jobs/failure.ts';
import type { Log } from '../log.ts';
import type { SearchChanges } from '../search/source.ts';
import type { Subject } from './kind.ts';
import { withArr } from './arr.ts';
import { findInChain, type ChainFound } from './chain.ts';
import { ProviderError } from './provider-error.ts';
import {
  localeOf,
  type Locale,
  type PartsAsked,
  type WorkProvider,
  type WorkRecord,
} from './provider.ts';
import * as states from './store.ts';

export interface EnrichDeps {
  readonly store: Store;
  readonly subjects: ReadonlyMap<string, Subject>;
  readonly search: SearchChanges;
  /** Told what pictures a record offers. */
  readonly artwork: Pick<Artwork, 'offered'>;
  readonly log: Log;
  /** 0 to 1; so that what was asked together is not asked together again. */
  readonly random: () => number;
  /** Of the texts that are kept beside those in a library's own language; all, unless stated. */
  readonly languages?: (() => Promise<readonly string[]>) | undefined;
}

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const postponeMinMs = minute;
const matchedMs = 30 * day;
const unmatchedMs = 3 * day;
const failedMs = hour;
const waitMaxMs = 30 * day;

/** Works of one kind; `isFresh`: past what is cached of the provider. */
export interface EnrichPayload {
  readonly kind: string;
  readonly itemIds: readonly string[];
  readonly isFresh?: boolean;
}

/**
 * Asks for the records of works and writes what they tell. A provider that is away, or asked too
 * often already, puts the works off; one record that cannot be read puts off that work alone.
 */
export async function enrichWorks(
  deps: EnrichDeps,
  { kind, itemIds, isFresh = false }: EnrichPayload,
  { signal, progress }: Pick<JobContext, 'signal' | 'progress'>,
): Promise<void> {
  if (!deps.subjects.get(kind)?.providers.length) {
    // Another node may have the key that this one lacks.
    const problem = 'this node has no provider to ask';
    const works = itemIds.map((itemId) => ({ kind, itemId }));
    await states.postpone(deps.store.sql, works, { problem, nextMs: minute, isTry: false });
    return;
  }
  for (const [done, itemId] of itemIds.entries()) {
    signal.throwIfAborted();
    try {
      await enrichWork(deps, { kind, itemId }, isFresh);
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      const left = itemIds.slice(done).map((id) => ({ kind, itemId: id }));
      if (await putOff(deps, error, left)) return;
    }
    progress(done + 1, itemIds.length);
  }
}

/** True when the others of the batch were put off too. */
async function putOff(
  { store, log, random }: EnrichDeps,
  error: ProviderError,
  works: readonly states.WorkName[],
): Promise<boolean> {
  const [first] = works;
  if (first === undefined) return true;
  const problem = safeMessage(error);
  if (error.failure === 'broken') {
    log.warn('a record cannot be read', { ...first, reason: problem });
    const tries = (await states.readState(store.sql, first))?.tries ?? 0;
    const nextMs = spread(grown(failedMs, tries), random);
    await states.postpone(store.sql, [first], { problem, nextMs, isTry: true });
    return false;
  }
  const nextMs = spread(Math.max(error.retryAfterMs ?? 0, postponeMinMs), random);
  log.info('works are put off', { count: works.length, reason: problem });
  await states.postpone(store.sql, works, { problem, nextMs, isTry: false });
  return true;
}

const grown = (firstMs: number, tries: number): number =>
  Math.min(firstMs * 2 ** Math.min(tries, 20), waitMaxMs);

/** Half as much again at most. */
const spread = (ms: number, random: () => number): number => Math.round(ms * (1 + random() / 2));

/** Asks for one work's record and writes it. */
async function enrichWork(
  deps: EnrichDeps,
  work: states.WorkName,
  isFresh: boolean,
): Promise<void> {
  const { sql } = deps.store;
  const { kind, providers = [] } = deps.subjects.get(work.kind) ?? {};
  if (kind === undefined) return;
  // In this order: what changes between the two is seen in the evidence when all is asked.
  const state = await states.readState(sql, work);
  const own = await kind.facts(sql, work.itemId);
  if (own === undefined || state === undefined) return;
  const facts = await withArr(sql, work, own);
  const locale = localeOf(facts.language);
  const again = () => foundBefore(providers, state, { locale, isFresh });
  // One that was found by who comes later may meanwhile be known to who comes first.
  const isKept = state.basis === 'user' || state.provider === providers[0]?.name;
  const before = isKept ? await again() : undefined;
  if (before === undefined && state.basis === 'user') throw goneRecord(state);
  const anew = before ?? (await findInChain(providers, facts, locale));
  const known = anew.record === undefined && !isKept ? ((await again()) ?? anew) : anew;
  const languages = await deps.languages?.();
  const parts = { locale, languages: languages ?? [], order: facts.order };
  const found = await withParts(known, parts, isFresh);
  // What a provider told stays when its key is taken away, unless another knows the work.
  if (found.record === undefined && isOfNobody(state, providers)) throw goneRecord(state);
  await save(deps, work, { asked: state, found, locale, languages }).catch((error: unknown) => {
    if (!isBadValue(error)) throw error;
    throw unkeptRecord(found, error);
  });
}

/** Whatever a provider says that the database does not take is that one record's trouble. */
const unkeptRecord = ({ provider, record }: FoundBefore, cause: unknown): ProviderError =>
  new ProviderError(provider?.name ?? 'nobody', {
    ...{ failure: 'broken', cause },
    detail: `what it says of ${record?.id ?? 'others'} cannot be kept: ${safeMessage(cause)}`,
  });

const isOfNobody = (
  { provider, providerId }: states.State,
  providers: readonly WorkProvider[],
): boolean => providerId !== null && providers.every(({ name }) => name !== provider);

/** Another record is not for us to choose where a person has. */
const goneRecord = ({ provider, providerId }: states.State): ProviderError =>
  new ProviderError(provider ?? 'nobody', {
    ...{ failure: 'broken', detail: `it has no record ${providerId} any more, or is not asked` },
  });

/** The record a work was found to be, as it is now; undefined: none, or it is gone. */
async function foundBefore(
  providers: readonly WorkProvider[],
  { provider: name, providerId, basis, score, candidates }: states.State,
  { locale, isFresh }: { locale: Locale; isFresh: boolean },
): Promise<FoundBefore | undefined> {
  const provider = providers.find((one) => one.name === name);
  if (providerId === null || provider === undefined) return undefined;
  const record = await provider.work(providerId, locale, { isFresh });
  if (record === undefined) return undefined;
  const known = { basis: basis ?? undefined, score: score ?? undefined, candidates };
  return { provider, record, ...known, missed: undefined };
}

/** With the parts of the record: they are asked for of no other that it might have been. */
async function withParts(
  found: FoundBefore,
  asked: PartsAsked,
  isFresh: boolean,
): Promise<FoundBefore> {
  const { record, provider } = found;
  if (record === undefined || provider?.whole === undefined) return found;
  return { ...found, record: await provider.whole(record, asked, { isFresh }) };
}

type FoundBefore = Omit<ChainFound, 'basis'> & {
  readonly basis: 'id' | 'title' | 'user' | undefined;
};

interface Saving {
  readonly asked: states.State;
  readonly found: FoundBefore;
  readonly locale: Locale;
  readonly languages: readonly string[] | undefined;
}

async function save(deps: EnrichDeps, work: states.WorkName, saving: Saving): Promise<void> {
  const { kind, providers } = deps.subjects.get(work.kind) ?? {};
  const { asked, found, locale } = saving;
  const { record, provider = providers?.[0] } = found;
  if (kind === undefined || provider === undefined) return;
  await deps.store.write(async (tx, stale, tell) => {
    const state = await states.readState(tx, work, { isLocked: true });
    // Somebody has said meanwhile that it is another: it is due again already.
    if (state === undefined || !isSame(state, asked)) return;
    const applied = await kind.apply(tx, work.itemId, { provider: provider.name, record, locale });
    if (applied === undefined) return;
    const isForced = found.basis === 'user';
    const ids = record === undefined ? {} : (record.ids as Record<string, string>);
    const { givenIds: given } = state;
    const givenIds =
      applied.isIdLocked && !isForced
        ? given
        : await states.takeOverIds(tx, work, { ids, given, isForced });
    const item = { ...work, provider: provider.name };
    await deps.artwork.offered(tx, item, record?.images ?? []);
    await states.saveRating(tx, work, record?.rating);
    await states.saveOutcome(tx, work, outcomeOf(deps, provider, { saving, state, givenIds }));
    stale(...kind.tags(work.itemId));
    // Also what no field shows: a record's other titles.
    if (record !== undefined || applied.isChanged)
      await deps.search.changed(tx, work.kind, [work.itemId]);
    if (!applied.isChanged) return;
    const { parts } = applied;
    if (parts !== undefined) await deps.search.changed(tx, parts.kind, parts.ids);
    tell('item.updated', { ...work, libraryId: applied.libraryId });
  });
}

/** As far as that decides which record it is. */
const isSame = (a: states.State, b: states.State): boolean =>
  decidingOf(a) === decidingOf(b) && a.providerId === b.providerId && a.basis === b.basis;

const decidingOf = ({ evidence }: states.State) => evidence.split(':', 1)[0];

function outcomeOf(
  { random }: EnrichDeps,
  { name }: WorkProvider,
  {
    saving,
    state,
    givenIds,
  }: {
    saving: Saving;
    state: states.State;
    givenIds: Readonly<Record<string, string>>;
  },
): states.Outcome {
  const { record, basis = null, score = null, candidates, missed } = saving.found;
  const extras = extrasOf(record, saving.languages);
  const known = { candidates, givenIds, extras, problem: null };
  if (record === undefined) {
    const nothing = { provider: null, providerId: null, basis: null, score };
    // More has come to be known of it while it was asked for.
    if (state.evidence !== saving.asked.evidence)
      return { ...known, ...nothing, tries: state.tries, nextMs: 0 };
    const tries = Math.min(state.tries + 1, 1_000);
    const nextMs = spread(grown(unmatchedMs, state.tries), random);
    return { ...known, ...nothing, tries, nextMs };
  }
  // Who comes first has more to tell: it is asked as soon as it may answer again.
  const nextMs = spread(missed === undefined ? matchedMs : day, random);
  return { ...known, provider: name, providerId: record.id, basis, score, tries: 0, nextMs };
}

function extrasOf(
  record: WorkRecord | undefined,
  languages: readonly string[] | undefined,
): states.Extras {
  if (record === undefined) return {};
  const isKept = ({ language }: { language: string }) =>
    languages === undefined ||
    languages.some((one) => one === language || one === bareLanguage(language));
  return {
    otherTitles: record.otherTitles,
    translations: record.translations.filter(isKept),
    trailers: record.trailers,
    certifications: record.certifications,
    status: record.status,
    collectionId: record.collection?.id,
  };
}
