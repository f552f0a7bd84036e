import type { Queryable, Tx } from '#storage/postgres/connect.ts';
import type { EnrichedKind } from './kind.ts';
import type { Scored } from './match.ts';
import type { WorkRecord } from './provider.ts';

/** What is known of a work's record. */
export interface State {
  readonly evidence: string;
  readonly provider: string | null;
  readonly providerId: string | null;
  readonly basis: 'id' | 'title' | 'user' | null;
  readonly score: number | null;
  readonly candidates: readonly Scored[];
  readonly givenIds: Readonly<Record<string, string>>;
  readonly tries: number;
}

/** What of a record no column of a work holds. */
export type Extras = Partial<
  Pick<WorkRecord, 'otherTitles' | 'trailers' | 'certifications' | 'status' | 'translations'>
> & { readonly collectionId?: string | undefined };

/** A claimed work is due again after this, should its claimer never come back. */
const leaseHours = 6;

/**
 * Notes that works came or changed. One that is taken for something else now is looked up anew,
 * unless a person has said what it is; one that was left open, when more is known of it, too. One
 * that is being asked about for the first time learns so from its evidence when that is done.
 */
export async function noteChanged(
  tx: Tx,
  kind: EnrichedKind,
  ids: readonly string[],
): Promise<void> {
  const isOther = tx`split_part(s.evidence, ':', 1) <> split_part(excluded.evidence, ':', 1)`;
  await tx`
    insert into metadata_states as s (kind, item_id, evidence)
    select ${kind.kind}, e.id, md5(e.evidence) || coalesce(':' || md5(e.detail), '')
    from (${kind.evidence(tx, ids)}) as e (id, evidence, detail) order by e.id
    on conflict (kind, item_id) do update set evidence = excluded.evidence, tries = 0,
      next_at = case when ${isOther} or s.checked_at is not null then now() else s.next_at end,
      provider_id = case when s.basis = 'user' or not (${isOther}) then s.provider_id end
    where ${isOther} or (s.provider_id is null and s.evidence <> excluded.evidence)`;
}

/** A person has said the ids of a work: whatever was decided before is open again. */
export async function reopen(tx: Tx, { kind, itemId }: WorkName): Promise<void> {
  await tx`
    update metadata_states set provider_id = null, basis = null, evidence = ''
    where kind = ${kind} and item_id = ${itemId}`;
}

/** A work, as jobs name it. */
export interface WorkName {
  readonly kind: string;
  readonly itemId: string;
}

/** Takes works that are due, oldest first; nobody else is given them for some hours. */
export async function claimDue(
  tx: Queryable,
  kinds: readonly string[],
  limit: number,
): Promise<WorkName[]> {
  return tx<WorkName[]>`
    update metadata_states s set next_at = now() + ${leaseHours} * interval '1 h'
    from (
      select kind, item_id from metadata_states
      where next_at <= now() and kind = any (${kinds as string[]}::text[])
      order by next_at limit ${limit} for update skip locked
    ) due
    where s.kind = due.kind and s.item_id = due.item_id
    returning s.kind, s.item_id as "itemId"`;
}

/** One work's state; `isLocked`: nobody else changes it until the transaction ends. */
export async function readState(
  sql: Queryable,
  { kind, itemId }: WorkName,
  { isLocked }: { isLocked: boolean } = { isLocked: false },
): Promise<State | undefined> {
  const [row] = await sql<State[]>`
    select evidence, provider, provider_id as "providerId", basis, score, candidates,
      given_ids as "givenIds", tries
    from metadata_states where kind = ${kind} and item_id = ${itemId}
    ${isLocked ? sql`for update` : sql``}`;
  return row;
}

export type Outcome = Omit<State, 'evidence'> & {
  readonly extras: Extras;
  readonly problem: string | null;
  /** Milliseconds until it is asked for again. */
  readonly nextMs: number;
};

/** Records what came of asking. */
export async function saveOutcome(
  tx: Tx,
  { kind, itemId }: WorkName,
  outcome: Outcome,
): Promise<void> {
  const { provider, providerId, basis, score, candidates, givenIds, extras } = outcome;
  await tx`
    update metadata_states set provider = ${provider}, provider_id = ${providerId},
      basis = ${basis}, score = ${score}, candidates = ${tx.json(candidates as never)},
      given_ids = ${tx.json(givenIds)}, extras = ${tx.json(extras as never)},
      tries = ${outcome.tries}, problem = ${outcome.problem}, checked_at = now(),
      next_at = now() + ${outcome.nextMs} * interval '1 ms'
    where kind = ${kind} and item_id = ${itemId}`;
}

/** Puts works off, whatever is known of them staying as it is. */
export async function postpone(
  sql: Queryable,
  works: readonly WorkName[],
  { problem, nextMs, isTry }: { problem: string; nextMs: number; isTry: boolean },
): Promise<void> {
  if (works.length === 0) return;
  await sql`
    update metadata_states s set problem = ${problem}, checked_at = now(),
      tries = least(s.tries + ${isTry ? 1 : 0}, 1000),
      next_at = now() + ${nextMs} * interval '1 ms'
    from unnest(
      ${works.map(({ kind }) => kind)}::text[], ${works.map(({ itemId }) => itemId)}::uuid[]
    ) as w (kind, item_id)
    where s.kind = w.kind and s.item_id = w.item_id`;
}

/** A person has said whose record a work is. */
export async function saveChoice(
  tx: Tx,
  { kind, itemId }: WorkName,
  { provider, id }: { provider: string; id: string },
): Promise<void> {
  await tx`
    insert into metadata_states (kind, item_id, provider, provider_id, basis)
    values (${kind}, ${itemId}, ${provider}, ${id}, 'user')
    on conflict (kind, item_id) do update set provider = excluded.provider,
      provider_id = excluded.provider_id, basis = 'user', score = 1, tries = 0, problem = null`;
}

/**
 * Takes a record's ids over where a work has none of that source, and takes back those of an
 * earlier record. Resolves to those it holds by the record alone.
 */
export async function takeOverIds(
  tx: Tx,
  { kind, itemId }: WorkName,
  {
    ids,
    given,
    isForced,
  }: {
    readonly ids: Readonly<Record<string, string>>;
    readonly given: Readonly<Record<string, string>>;
    /** A person chose the record: what files say of its ids gives way. */
    readonly isForced: boolean;
  },
): Promise<Record<string, string>> {
  const gone = Object.entries(given).filter(([source, value]) => ids[source] !== value);
  await tx`
    delete from external_ids e
    using unnest(
      ${gone.map(([source]) => source)}::text[], ${gone.map(([, value]) => value)}::text[]
    ) as g (source, value)
    where e.kind = ${kind} and e.item_id = ${itemId} and e.source = g.source
      and e.value = g.value`;
  const entries = Object.entries(ids);
  const rows = await tx<{ source: string; value: string }[]>`
    insert into external_ids as e (kind, item_id, source, value)
    select ${kind}, ${itemId}, source, value from unnest(
      ${entries.map(([source]) => source)}::text[], ${entries.map(([, value]) => value)}::text[]
    ) as i (source, value)
    on conflict (kind, item_id, source) do update set value = excluded.value
      where ${isForced} and e.value <> excluded.value
    returning e.source, e.value`;
  const kept = Object.entries(given).filter(([source, value]) => ids[source] === value);
  return Object.fromEntries([
    ...kept,
    ...rows.map(({ source, value }) => [source, value] as const),
  ]);
}

/** Writes the provider's rating, or takes it away. */
export async function saveRating(
  tx: Tx,
  { kind, itemId }: WorkName,
  rating: WorkRecord['rating'],
): Promise<void> {
  if (rating === undefined) return;
  const { source, score, votes } = rating;
  await tx`
    insert into ratings (kind, item_id, source, score, votes)
    values (${kind}, ${itemId}, ${source}, ${score}, ${votes})
    on conflict (kind, item_id, source) do update
      set score = excluded.score, votes = excluded.votes`;
}
