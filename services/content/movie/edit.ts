import type { components } from '#api/types.ts';
import type { Tx } from '#storage/postgres/connect.ts';
import { problem } from '../../errors.ts';
import { sortTitle } from '../../naming/titles.ts';

export type MovieUpdate = components['schemas']['MovieUpdate'];

interface EditRow {
  readonly libraryId: string;
  readonly title: string;
  readonly sources: Record<string, string>;
  readonly lockedFields: readonly string[];
  readonly revision: number;
  readonly language: string;
}

/**
 * Sets fields by hand and locks them. Throws `precondition-failed` when the film is not at
 * `revision` any more; undefined: there is none.
 */
export async function editFilm(
  tx: Tx,
  id: string,
  edit: { readonly update: MovieUpdate; readonly revision: number | undefined },
): Promise<{ libraryId: string } | undefined> {
  const row = await lockFilm(tx, id);
  if (row === undefined) return undefined;
  if (edit.revision !== undefined && edit.revision !== row.revision) {
    throw problem('precondition-failed', 'The film has changed since it was read');
  }
  const { lockedFields: wanted, externalIds, ...fields } = edit.update;
  const given = fields.sortTitle ?? (followsTitle(row) ? fields.title : undefined);
  const names = [...Object.keys(fields), ...(externalIds === undefined ? [] : ['ids'])];
  const locked = [...new Set([...(wanted ?? row.lockedFields), ...names])].sort();
  const sources = nextSources(row, { names, locked });
  await saveEdit(tx, id, {
    ...fields,
    ...(given === undefined ? {} : { sortTitle: sortTitle(given, row.language) }),
    sources,
    locked,
  });
  if (externalIds !== undefined) await saveIds(tx, id, externalIds);
  return { libraryId: row.libraryId };
}

/** Nobody has given it a sort title of its own. */
const followsTitle = ({ sources, lockedFields }: EditRow): boolean =>
  (sources['sortTitle'] ?? 'name') === 'name' && !lockedFields.includes('sortTitle');

/** What a person set is theirs; a field that is unlocked is open to the next scan again. */
function nextSources(
  row: EditRow,
  { names, locked }: { names: readonly string[]; locked: readonly string[] },
): Record<string, string> {
  const kept = Object.entries(row.sources).filter(
    ([name, source]) => source !== 'user' || locked.includes(name),
  );
  return {
    ...Object.fromEntries(kept),
    ...Object.fromEntries(names.map((name) => [name, 'user'])),
  };
}

async function lockFilm(tx: Tx, id: string): Promise<EditRow | undefined> {
  const [row] = await tx<EditRow[]>`
    select m.library_id as "libraryId", m.title, m.sources, m.locked_fields as "lockedFields",
      m.revision, l.language
    from movies m join libraries l on l.id = m.library_id
    where m.id = ${id} for update of m`;
  return row;
}

type Edited = Omit<MovieUpdate, 'lockedFields' | 'externalIds'> & {
  readonly sources: Record<string, string>;
  readonly locked: readonly string[];
};

async function saveEdit(tx: Tx, id: string, edited: Edited): Promise<void> {
  const { sources, locked, ...fields } = edited;
  await tx`
    update movies m set
      title = coalesce(r.title, m.title), sort_title = coalesce(r."sortTitle", m.sort_title),
      original_title =
        case when e ? 'originalTitle' then r."originalTitle" else m.original_title end,
      year = case when e ? 'year' then r.year else m.year end,
      release_date = case when e ? 'releaseDate' then r."releaseDate" else m.release_date end,
      runtime_ms = case when e ? 'runtimeMs' then r."runtimeMs" else m.runtime_ms end,
      overview = case when e ? 'overview' then r.overview else m.overview end,
      tagline = case when e ? 'tagline' then r.tagline else m.tagline end,
      certification = case when e ? 'certification' then r.certification else m.certification end,
      studio = case when e ? 'studio' then r.studio else m.studio end,
      collection = case when e ? 'collection' then r.collection else m.collection end,
      genres = coalesce(r.genres, m.genres), tags = coalesce(r.tags, m.tags),
      sources = ${tx.json(sources)}, locked_fields = ${locked as string[]},
      revision = m.revision + 1, updated_at = now()
    from (select ${tx.json(fields)}::jsonb as e) as given,
      jsonb_to_record(given.e) as r (
        title text, "sortTitle" text, "originalTitle" text, year smallint, "releaseDate" date,
        "runtimeMs" bigint, overview text, tagline text, certification text, studio text,
        collection text, genres text[], tags text[]
      )
    where m.id = ${id}`;
}

async function saveIds(
  tx: Tx,
  id: string,
  ids: Readonly<Record<string, string | null | undefined>>,
): Promise<void> {
  const given = Object.entries(ids).filter(([, value]) => value !== undefined);
  const sources = given.map(([source]) => source);
  await tx`
    delete from external_ids
    where kind = 'movie' and item_id = ${id} and source = any (${sources}::text[])`;
  const kept = given.filter(([, value]) => value !== null) as [string, string][];
  if (kept.length === 0) return;
  await tx`
    insert into external_ids (kind, item_id, source, value)
    select 'movie', ${id}, source, value from unnest(
      ${kept.map(([source]) => source)}::text[], ${kept.map(([, value]) => value)}::text[]
    ) as i (source, value)`;
}
