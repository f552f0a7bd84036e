import type { Tx } from '#storage/postgres/connect.ts';
import { derive, type Derived, type FileFacts } from './derive.ts';

/**
 * Brings what is derived from files up to date; resolves to the films that changed. A film with no
 * file left keeps what was derived and is marked unavailable.
 */
export async function refreshFilms(tx: Tx, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const files = Map.groupBy(await loadFiles(tx, ids), ({ itemId }) => itemId);
  return saveDerived(
    tx,
    ids.map((id) => {
      const present = files.get(id) ?? [];
      const isAvailable = present.some(({ isAuxiliary }) => !isAuxiliary);
      return { id, isAvailable, ...derive(present) };
    }),
  );
}

function loadFiles(tx: Tx, ids: readonly string[]): Promise<(FileFacts & { itemId: string })[]> {
  return tx<(FileFacts & { itemId: string })[]>`
    select f.item_id as "itemId", f.id, f.facts ->> 'stackId' as "stackId",
      f.size_bytes as "sizeBytes",
      coalesce((f.facts ->> 'auxiliary')::boolean, false) as "isAuxiliary",
      f.facts ->> 'resolution' as "nameResolution",
      round((f.probe ->> 'durationMs')::numeric)::int8 as "durationMs",
      case when f.probe is null then null else coalesce((
        select jsonb_agg(jsonb_build_object(
          'type', s -> 'type', 'codec', s -> 'codec', 'width', s -> 'width',
          'height', s -> 'height', 'hdr', s -> 'hdr', 'language', s -> 'language'))
        from jsonb_array_elements(f.probe -> 'streams') s
        where s ->> 'type' in ('video', 'audio')
      ), '[]') end as streams
    from files f
    where f.item_id = any (${ids as string[]}::uuid[]) and f.role = 'video'
      and f.missing_since is null`;
}

async function saveDerived(
  tx: Tx,
  rows: readonly (Derived & { id: string; isAvailable: boolean })[],
): Promise<string[]> {
  const saved = await tx<{ id: string }[]>`
    update movies m set
      resolutions = case when r."isAvailable" then r.resolutions else m.resolutions end,
      video_codecs = case when r."isAvailable" then r."videoCodecs" else m.video_codecs end,
      hdr_kinds = case when r."isAvailable" then r."hdrKinds" else m.hdr_kinds end,
      audio_languages =
        case when r."isAvailable" then r."audioLanguages" else m.audio_languages end,
      duration_ms = case when r."isAvailable" then r."durationMs" else m.duration_ms end,
      size_bytes = case when r."isAvailable" then r."sizeBytes" else m.size_bytes end,
      is_available = r."isAvailable", revision = m.revision + 1, updated_at = now()
    from jsonb_to_recordset(${tx.json(rows as never)}) as r (
      id uuid, "isAvailable" boolean, resolutions text[], "videoCodecs" text[],
      "hdrKinds" text[], "audioLanguages" text[], "durationMs" bigint, "sizeBytes" bigint
    )
    where m.id = r.id and (
      m.is_available <> r."isAvailable" or (r."isAvailable" and (
        m.resolutions, m.video_codecs, m.hdr_kinds, m.audio_languages, m.duration_ms, m.size_bytes
      ) is distinct from (
        r.resolutions, r."videoCodecs", r."hdrKinds", r."audioLanguages", r."durationMs",
        r."sizeBytes"
      ))
    )
    returning m.id`;
  return saved.map(({ id }) => id);
}
