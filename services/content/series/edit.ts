import { inheritChoices } from '../../artwork/inherit.ts';
import type { Queryable, Tx } from '#storage/postgres/connect.ts';
import { mustBeAt, recordEdit, type Edit, type Editable, type Move } from '../edit.ts';
import { changesOf, inheritHistory, noteChanges } from '../history.ts';
import { known, seasonShown } from './known.ts';
import { nameOfPart } from './names.ts';
import { works } from './series.ts';

/** What of a series a person may set. */
export const editableSeries: Editable = {
  ...works,
  label: 'series',
  fields: {
    title: ['title', 'text'],
    sortTitle: ['sort_title', 'text'],
    originalTitle: ['original_title', 'text'],
    year: ['year', 'smallint'],
    premiered: ['premiered', 'date'],
    overview: ['overview', 'text'],
    status: ['status', 'text'],
    certification: ['certification', 'text'],
    genres: ['genres', 'text[]'],
    studios: ['studios', 'text[]'],
    episodeOrder: ['episode_order', 'text'],
  },
};

/** Parts of a series, whose edits are laid over what files and providers tell. */
export interface EditablePart {
  readonly label: 'season' | 'episode';
  readonly table: 'seasons' | 'episodes';
  /** An object: what is shown of one, of the tables `e` and `n`, by field. */
  readonly shown: (sql: Queryable) => ReturnType<Queryable>;
}

/** Seasons; the table is `n`. */
export const editableSeasons: EditablePart = {
  ...{ label: 'season', table: 'seasons' },
  shown: (sql) => sql`
    select n.edits, n.revision, n.series_id as "seriesId", jsonb_build_object(
      'title', ${seasonShown(sql, 'title')}, 'overview', ${seasonShown(sql, 'overview')}) as shown
    from seasons n`,
};

/** Episodes; the table is `e`. */
export const editableEpisodes: EditablePart = {
  ...{ label: 'episode', table: 'episodes' },
  shown: (sql) => sql`
    select e.edits, e.revision, e.series_id as "seriesId", jsonb_build_object(
      'title', ${known(sql, 'title')}, 'overview', ${known(sql, 'overview')},
      'airDate', ${known(sql, 'air_date')}) as shown
    from episodes e join seasons n on n.id = e.season_id`,
};

interface PartRow {
  readonly edits: Readonly<Record<string, unknown>>;
  readonly shown: Readonly<Record<string, unknown>>;
  readonly revision: number;
  readonly seriesId: string;
  readonly libraryId: string;
}

/**
 * Sets fields of a season or an episode by hand: what is set is locked, and what is unlocked is
 * again as files and providers tell it. Throws `precondition-failed`; undefined: there is none.
 */
export async function editPart(
  tx: Tx,
  { label, table, shown }: EditablePart,
  { id, update, revision, by }: Edit,
): Promise<{ seriesId: string; libraryId: string } | undefined> {
  // The row is locked before it is read: what joins it would be as old as the wait.
  await tx`select from ${tx(table)} where id = ${id} for update`;
  const [row] = await tx<PartRow[]>`
    select p.*, s.library_id as "libraryId"
    from (${shown(tx)} where ${tx(table === 'seasons' ? 'n' : 'e')}.id = ${id}) p
    join series s on s.id = p."seriesId"`;
  if (row === undefined) return undefined;
  mustBeAt(label, row.revision, revision);
  const { lockedFields, ...given } = update;
  const names = [...(lockedFields ?? Object.keys(row.edits)), ...Object.keys(given)];
  const told: Record<string, unknown> = { ...row.shown, ...row.edits, ...given };
  const edits = Object.fromEntries(names.map((name) => [name, told[name] ?? null]));
  const changed = changesOf({ ...row.shown, ...row.edits }, told, Object.keys(given));
  if (changed !== undefined) {
    const change = { itemId: id, source: 'user', userId: by?.userId, fields: changed };
    await noteChanges(tx, label, [change]);
  }
  const name = await nameOfPart(tx, label, id);
  await recordEdit(tx, update, { kind: label, itemId: id, name, by });
  await tx`
    update ${tx(table)} set edits = ${tx.json(edits as never)}, revision = revision + 1
      ${table === 'episodes' ? tx`, updated_at = now()` : tx``}
    where id = ${id}`;
  return { seriesId: row.seriesId, libraryId: row.libraryId };
}

/** What a person set of episodes moves to those that their files hold now, and what changed of them. */
export async function inheritEpisodeEdits(tx: Tx, moves: readonly Move[]): Promise<void> {
  if (moves.length === 0) return;
  await inheritHistory(tx, 'episode', moves);
  await tx`
    update episodes t set edits = f.edits || t.edits, revision = t.revision + 1,
      updated_at = now()
    from jsonb_to_recordset(${tx.json(moves as never)}) as m ("from" uuid, "to" uuid)
    join episodes f on f.id = m."from"
    where t.id = m."to" and t.id <> f.id and f.edits <> '{}'`;
}

/**
 * What a person set of seasons moves to those of the series that theirs turned out to be, and what
 * changed of them. Resolves to the episodes of the one that the other has too.
 */
export async function inheritSeasons(tx: Tx, { from, to }: Move): Promise<Move[]> {
  await tx`
    update seasons t set edits = f.edits || t.edits, revision = t.revision + 1
    from seasons f
    where f.series_id = ${from} and t.series_id = ${to} and t.number = f.number
      and f.edits <> '{}'`;
  const seasons = await tx<Move[]>`
    select f.id as "from", t.id as "to" from seasons f join seasons t on t.number = f.number
    where f.series_id = ${from} and t.series_id = ${to}`;
  await inheritHistory(tx, 'season', seasons);
  await inheritChoices(tx, 'season', seasons);
  return tx<Move[]>`
    select f.id as "from", t.id as "to" from episodes f join episodes t on t.key = f.key
    where f.series_id = ${from} and t.series_id = ${to}`;
}
