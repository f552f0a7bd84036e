import type { Sql } from '#storage/postgres/connect.ts';

const adjectives =
  'Silent Broken Golden Last Hidden Crimson Lost Frozen Bright Iron Distant Paper Glass Wild';
const nouns =
  'River Empire Garden Signal Mirror Harbor Winter Crown Engine Letter Forest Shadow Orchard';
const genres = 'Drama Comedy Action Thriller Romance Horror Documentary Animation';

/** A library of `count` films as a scan would have left them, made inside PostgreSQL. */
export async function fillFilms(sql: Sql, count: number): Promise<{ libraryId: string }> {
  const [library] = await sql<{ id: string }[]>`
    insert into libraries (kind, name) values ('movie', 'Bench') returning id`;
  if (library === undefined) throw new Error('no library was made');
  const libraryId = library.id;
  const [root] = await sql<{ id: string }[]>`
    insert into library_roots (library_id, path) values (${libraryId}, '/bench') returning id`;
  const rootId = root?.id ?? '';
  await insertFilms(sql, libraryId, count);
  await insertFiles(sql, { libraryId, rootId });
  await sql`vacuum analyze movies`;
  await sql`vacuum analyze files`;
  return { libraryId };
}

async function insertFilms(sql: Sql, libraryId: string, count: number): Promise<void> {
  await sql`
    with words as (
      select string_to_array(${adjectives}, ' ') as adjectives,
        string_to_array(${nouns}, ' ') as nouns, string_to_array(${genres}, ' ') as genres
    ), titles as (
      select n,
        adjectives[1 + n % 14] || ' ' || nouns[1 + (n / 14) % 13] || ' ' || n as title,
        1930 + n % 95 as year,
        array[genres[1 + n % 8], genres[1 + (n / 8) % 8]] as genres
      from words, generate_series(1, ${count}) as n
    )
    insert into movies (library_id, title, sort_title, identity, year, genres, resolutions,
      video_codecs, hdr_kinds, audio_languages, duration_ms, size_bytes, rating, added_at, overview)
    select ${libraryId}, title, shared.fold(title), shared.fold(title) || '|' || year, year, genres,
      array[case n % 4 when 0 then '2160p' when 1 then '720p' else '1080p' end],
      array[case n % 3 when 0 then 'hevc' else 'h264' end],
      array[case n % 12 when 0 then 'HDR10' else 'SDR' end],
      array[case n % 5 when 0 then 'de' else 'en' end],
      5400000 + (n % 3600) * 1000, 1500000000 + n, (n % 100) / 10.0,
      now() - n * interval '1 minute', 'What happens in ' || title || '.'
    from titles`;
}

async function insertFiles(
  sql: Sql,
  { libraryId, rootId }: { libraryId: string; rootId: string },
): Promise<void> {
  const probe = {
    container: 'matroska',
    durationMs: 5_400_000,
    bitrate: 4_000_000,
    tags: {},
    chapters: [],
    streams: [
      ...[{ type: 'video', index: 0, codec: 'h264', width: 1920, height: 1080, frameRate: 24 }],
      ...[{ type: 'audio', index: 1, codec: 'aac', language: 'en', channels: 6 }],
    ],
  };
  await sql`
    insert into directories (root_id, path, mtime_ms, is_settled)
    select ${rootId}, title, 0, true from movies where library_id = ${libraryId}`;
  await sql`
    insert into files (library_id, root_id, directory_id, path, name, role, size_bytes, mtime_ms,
      inode, device, item_id, probe_state, probe)
    select ${libraryId}, ${rootId}, d.id, m.title || '/' || m.title || '.mkv', m.title || '.mkv',
      'video', m.size_bytes, 0, m.size_bytes::text, '1', m.id, 'done', ${sql.json(probe)}
    from movies m join directories d on d.root_id = ${rootId} and d.path = m.title
    where m.library_id = ${libraryId}`;
}
