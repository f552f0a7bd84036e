import type { HandlersOf } from '#api/handler.ts';
import type { components } from '#api/types.ts';
import type { Queryable, Tx } from '#storage/postgres/connect.ts';
import { recordWork, type Doer } from '../activity/record.ts';
import type { Store } from '../changes.ts';
import { problem, type ProblemError } from '../errors.ts';
import type { JobAdder, JobDefinition } from '../jobs/job.ts';
import { safeMessage } from '../jobs/failure.ts';
import { takeIds, type ProviderIds } from '../naming/ids.ts';
import { callerOf } from '../principal.ts';
import type { SeesItem, Viewer } from '../visible.ts';
import { createAsker } from './chain.ts';
import type { EnrichPayload } from './enrich.ts';
import type { Subject } from './kind.ts';
import { findById, scored, type Scored, type WorkFacts } from './match.ts';
import { noProvider, ProviderError } from './provider-error.ts';
import { localeOf, type Candidate, type Locale, type WorkProvider } from './provider.ts';
import { readRecord } from './record-view.ts';
import { saveChoice, type WorkName } from './store.ts';

/** Operations of api/metadata.yaml. */
export type MetadataOperation =
  | 'refreshMovie'
  | 'listMovieMatches'
  | 'matchMovie'
  | 'refreshSeries'
  | 'listSeriesMatches'
  | 'matchSeries'
  | 'getMovieRecord'
  | 'getSeriesRecord';

type Matches = components['schemas']['RecordMatches'];
type Choice = components['schemas']['RecordChoice'];

export interface RoutesDeps {
  readonly store: Store;
  readonly jobs: JobAdder;
  readonly subjects: ReadonlyMap<string, Subject>;
  readonly enrichJob: JobDefinition<EnrichPayload>;
  readonly seesItem: SeesItem;
}

/** What people ask of providers. */
export function createRoutes(deps: RoutesDeps): HandlersOf<MetadataOperation> {
  const film = operationsOf(deps, 'movie');
  const series = operationsOf(deps, 'series');
  return {
    refreshMovie: ({ params }) => film.refresh(params.movieId),
    listMovieMatches: ({ params, query }) => film.list(params.movieId, query),
    matchMovie: ({ params, body, principal }) => film.match(params.movieId, body, principal),
    refreshSeries: ({ params }) => series.refresh(params.seriesId),
    listSeriesMatches: ({ params, query }) => series.list(params.seriesId, query),
    matchSeries: ({ params, body, principal }) => series.match(params.seriesId, body, principal),
    getMovieRecord: async ({ params, principal }) => ({
      body: await recordFor(deps, callerOf(principal), { kind: 'movie', itemId: params.movieId }),
    }),
    getSeriesRecord: async ({ params, principal }) => ({
      body: await recordFor(deps, callerOf(principal), { kind: 'series', itemId: params.seriesId }),
    }),
  };
}

/** A record of a work that is there for the caller; throws `not-found`. */
async function recordFor({ store: { sql }, seesItem }: RoutesDeps, caller: Viewer, work: WorkName) {
  if (!(await seesItem(sql, caller, work))) throw noSuch(work);
  return readRecord(sql, work);
}

const noSuch = ({ kind, itemId }: WorkName) =>
  problem('not-found', `There is no ${kind} ${itemId}`);

const accepted = { status: 202, body: undefined } as const;

/** The three operations, of one kind of work. */
function operationsOf(deps: RoutesDeps, kind: string) {
  const { store } = deps;
  return {
    async refresh(itemId: string) {
      const { providers } = await ask(deps, { kind, itemId });
      await store.write(async (tx, stale) => {
        const { provider: name, id } = await makeDue(tx, { kind, itemId });
        const provider = providers.find((one) => one.name === name);
        if (provider !== undefined && id !== null) stale(provider.tagOf(id));
        await askSoon(deps, tx, { kind, itemIds: [itemId], isFresh: true });
      });
      return accepted;
    },
    async list(itemId: string, query: { query?: string | undefined; year?: number | undefined }) {
      const { query: text, year } = query;
      if (text === undefined) {
        // What was decided is known without anybody to ask.
        const { subject } = await know(deps, { kind, itemId });
        return { body: present(await readShown(store.sql, { kind, itemId }), subject.providers) };
      }
      const { facts, providers } = await ask(deps, { kind, itemId });
      const found = await search(providers, facts, { text, year }).catch(asProblem);
      return { body: present(await readShown(store.sql, { kind, itemId }), providers, found) };
    },
    async match(itemId: string, choice: Choice, by: Doer | undefined) {
      const { facts, providers, subject } = await ask(deps, { kind, itemId });
      const asked = providers.find(({ name }) => name === choice.provider);
      const locale = localeOf(facts.language);
      const record = await asked?.work(choice.id, locale).catch(asProblem);
      if (record === undefined) {
        throw problem('unprocessable', `${choice.provider} has no record ${choice.id}`);
      }
      await store.write(async (tx) => {
        await saveChoice(tx, { kind, itemId }, choice);
        const { provider, id } = choice;
        const what = { kind, itemId, name: facts.titles[0], by };
        await recordWork(tx, 'work.matched', { ...what, details: { provider, id } });
        await subject.kind.lockIds?.(tx, itemId);
        await askSoon(deps, tx, { kind, itemIds: [itemId] });
      });
      return accepted;
    },
  };
}

/** The work and its kind; throws `not-found`. */
async function know({ store, subjects }: RoutesDeps, { kind, itemId }: WorkName) {
  const subject = subjects.get(kind);
  const facts = await subject?.kind.facts(store.sql, itemId);
  if (subject === undefined || facts === undefined) {
    throw noSuch({ kind, itemId });
  }
  return { subject, facts };
}

/** The work with who is asked about it; throws `not-found`, or `unavailable` without a provider. */
async function ask(deps: RoutesDeps, work: WorkName) {
  const { subject, facts } = await know(deps, work);
  const { providers } = subject;
  if (providers.length === 0) {
    throw noProvider();
  }
  return { subject, facts, providers };
}

/** A provider's failure as the caller may see it. */
function asProblem(error: unknown): never {
  throw error instanceof ProviderError ? toProblem(error) : error;
}

function toProblem(error: ProviderError): ProblemError {
  const retryAfterSeconds = Math.max(1, Math.ceil((error.retryAfterMs ?? 30_000) / 1_000));
  return problem('unavailable', safeMessage(error), { retryAfterSeconds, cause: error });
}

const candidatesMax = 20;

/**
 * What providers find by a person's words, the likeliest first. One that does not answer is left
 * out, as long as another does.
 */
async function search(
  providers: readonly WorkProvider[],
  facts: WorkFacts,
  { text, year }: { text: string; year: number | undefined },
): Promise<readonly Scored[]> {
  const locale = localeOf(facts.language);
  const wanted = { ...facts, titles: [text, ...facts.titles], year: year ?? facts.year };
  const asker = createAsker();
  const asked = providers.map((provider) =>
    asker.ask(async () => {
      const named = await byId(provider, text, locale);
      const found = named ?? (await provider.search({ title: text, year }, locale));
      return found.map((one) => scored(provider, wanted, one));
    }),
  );
  const answered = (await Promise.all(asked)).filter((found) => found !== undefined);
  const missed = asker.missed();
  if (answered.length === 0 && missed !== undefined) throw missed;
  return answered
    .flat()
    .sort((a, b) => b.score - a.score || b.votes - a.votes)
    .slice(0, candidatesMax);
}

/** The record an id names; undefined where the words are none. */
async function byId(
  provider: WorkProvider,
  text: string,
  locale: Locale,
): Promise<Candidate[] | undefined> {
  const ids = idsIn(text);
  if (Object.keys(ids).length === 0) return undefined;
  const record = await findById(provider, ids, locale);
  if (record === undefined) return [];
  const { title, originalTitle, year, overview, images } = record;
  const posterUrl = images.find(({ type }) => type === 'poster')?.url;
  return [{ id: record.id, title, originalTitle, year, overview, posterUrl, votes: 0 }];
}

const idsIn = (text: string): ProviderIds => {
  const trimmed = text.trim();
  const isBare = /^(?:tt\d{6,9}|[a-z]{3,9}:\d{1,9})$/i.test(trimmed);
  return isBare ? takeIds(trimmed.startsWith('tt') ? trimmed : `[${trimmed}]`).ids : {};
};

interface Shown {
  readonly provider: string | null;
  readonly providerId: string | null;
  readonly basis: 'id' | 'title' | 'user' | null;
  readonly score: number | null;
  readonly candidates: readonly Scored[];
  readonly problem: string | null;
  readonly checkedAt: Date | null;
  readonly nextAt: Date;
}

async function readShown(sql: Queryable, { kind, itemId }: WorkName): Promise<Shown | undefined> {
  const [row] = await sql<Shown[]>`
    select provider, provider_id as "providerId", basis, score, candidates, problem,
      checked_at as "checkedAt", next_at as "nextAt"
    from metadata_states where kind = ${kind} and item_id = ${itemId}`;
  return row;
}

const round = (score: number): number => Math.round(score * 1_000) / 1_000;

function matchOf({ provider, providerId: id, basis, score }: Shown): Matches['match'] {
  if (provider === null || id === null || basis === null) return null;
  return { provider, id, basis, score: score === null ? null : round(score) };
}

/** Without a provider there are no others that could be chosen. */
function present(
  state: Shown | undefined,
  [provider]: readonly Pick<WorkProvider, 'name'>[],
  found: readonly Scored[] = state?.candidates ?? [],
): Matches {
  return {
    match: state === undefined ? null : matchOf(state),
    problem: state?.problem ?? null,
    checkedAt: state?.checkedAt?.toISOString() ?? null,
    nextAt: (state?.nextAt ?? new Date(0)).toISOString(),
    items: provider === undefined ? [] : found.map((one) => presentOne(one, provider.name)),
  };
}

const presentOne = (one: Scored, provider: string): Matches['items'][number] => ({
  ...{ provider: one.provider ?? provider, id: one.id },
  ...{ title: one.title, year: one.year ?? null },
  ...(one.originalTitle === undefined ? {} : { originalTitle: one.originalTitle }),
  ...(one.overview === undefined ? {} : { overview: one.overview }),
  ...(one.posterUrl === undefined ? {} : { posterUrl: one.posterUrl }),
  score: round(one.score),
});

/** Resolves to whose record the work is, where it is anybody's. */
async function makeDue(
  tx: Tx,
  { kind, itemId }: WorkName,
): Promise<{ provider: string | null; id: string | null }> {
  const [row] = await tx<{ provider: string | null; id: string | null }[]>`
    insert into metadata_states as s (kind, item_id) values (${kind}, ${itemId})
    on conflict (kind, item_id) do update set next_at = now()
    returning s.provider, s.provider_id as id`;
  return row ?? { provider: null, id: null };
}

async function askSoon(
  { jobs, enrichJob }: RoutesDeps,
  tx: Tx,
  payload: EnrichPayload,
): Promise<void> {
  await jobs.add(tx, enrichJob, payload, { priority: 'high' });
}
