import type { Sql } from '#storage/postgres/connect.ts';

const id = (n: number) => `01890000-0000-7000-8000-${String(n).padStart(12, '0')}`;

/** Ids of what `fillOddly` makes. */
export const oddIds = { user: id(1), library: id(10), root: id(11), movie: id(20), upload: id(51) };

/** The picture that nothing but a backup holds, by its SHA-256. */
export const uploadedSha256 = 'ab'.repeat(32);

const odd = `E'\\u00e4\\U0001F3AC\\\\.\\n\\\\N\\t\\r"''{},\\u2028 \\uf7ff'`;

/**
 * A row or more in every table whose content is somebody's, with the values that are most easily
 * lost on the way: line feeds, backslashes, empty and null, infinite and very small.
 */
export async function fillOddly(sql: Sql): Promise<void> {
  await sql.unsafe(people);
  await sql.unsafe(library);
  await sql.unsafe(works);
  await sql.unsafe(work);
}

const people = `
  insert into shared.users (id, username, display_name, role, password_hash, created_at) values
    ('${id(1)}', 'Änna\u{1F3AC}', ${odd}, 'admin', '$argon2id$v=19$m=8,t=1,p=1$YQ$Yg', '-infinity'),
    ('${id(2)}', 'ben', null, 'user', null, 'infinity');
  insert into shared.sessions (id, user_id, device_name, ip, expires_at, absolute_expires_at)
    values ('${id(3)}', '${id(1)}', ${odd}, '2001:db8::1/64', 'infinity', 'infinity');
  insert into shared.refresh_tokens (token_hash, session_id, expires_at, successor_sealed)
    values ('\\x00ff0a5c', '${id(3)}', 'infinity', '\\x');
  insert into shared.api_keys (user_id, name, prefix, key_hash, scopes) values
    ('${id(1)}', 'a', 'p', '\\x00', array['', 'null', 'a"b', E'c\\\\d', 'e,f', '{}']),
    ('${id(2)}', 'b', '', '\\x01', '{}');
  insert into shared.address_epochs values ('${id(2)}', 2147483647);
  insert into shared.settings (key, value, updated_by) values
    ('server.name', '"\\u2028 \\\\ \\" Zuhause"', '${id(1)}'), ('odd.null', 'null', null),
    ('odd.number', '1e-300', null);
  insert into shared.secrets (name, value) values ('signing', '\\x000102030a0d5c');
  insert into shared.setup (completed_at) values (now());
  insert into shared.activity (user_id, action, details) values
    ('${id(1)}', 'auth.login', '{"deep": [1, null, {"": "\\\\"}], "big": 12345678901234567890.5}'),
    (null, 'auth.login-failed', '{}');`;

const library = `
  insert into libraries (id, kind, name, options) values
    ('${id(10)}', 'movie', E'Films \\\\ \\t', '{"a": [1e400, -0.0]}');
  insert into library_roots (id, library_id, path) values
    ('${id(11)}', '${id(10)}', '/films'), ('${id(12)}', '${id(10)}', E'/films/\\\\N\\n\\uf780');
  insert into library_scans (id, library_id, mode, state, counters, requested_by,
      ignored_by) values
    ('${id(13)}', '${id(10)}', 'full', 'running', '{}', '${id(1)}',
      '[{"path": "/films/\\uf780", "entries": 1}]');
  -- The child before its parent: rows come in any order.
  insert into directories (id, root_id, parent_id, path, mtime_ms, refused, ignores,
      ignored) values
    ('${id(15)}', '${id(11)}', null, '', 'NaN', '[]',
      '[{"name": ".ignore", "text": "\\t*"}]', null),
    ('${id(14)}', '${id(11)}', '${id(15)}', ${odd}, 1e-300, null, null, '{".ignore": 1}');
  insert into files (id, library_id, root_id, directory_id, path, name, role, size_bytes, mtime_ms,
      inode, device, item_id, part, facts, probe, missing_since) values
    ('${id(16)}', '${id(10)}', '${id(11)}', '${id(14)}', ${odd}, ${odd}, 'video',
     9007199254740991, 'Infinity', '18446744073709551615', '', '${id(20)}', 32767, '{}',
     '{"streams": [{"tags": {"title": "\\u00e4\\n"}}]}', '-infinity');
  insert into library_arrivals (id, library_id, root_id, path, taken_at) values
    ('${id(17)}', '${id(10)}', '${id(11)}', ${odd}, null);
  insert into library_watches values ('${id(11)}', 'n1', false, 'NFS', 'infinity');
  insert into arr_works (source, path, title, titles, year, ids) values
    ('radarr', ${odd}, '', array[null, '', ${odd}], null, '{"tmdb": "1"}');
  insert into arr_rivals (source, path, server, title, titles, year, ids, claimed_at) values
    ('sonarr', ${odd}, ${odd}, '', array[null, '', ${odd}], -1, '{"tmdb": "1"}', '-infinity');
  insert into root_views values ('${id(11)}', 'n1', false, ${odd}, 'infinity');
  insert into file_traces values ('${id(16)}', '${id(10)}', '1', '1', 0, -0.5);
  insert into nfo_files values ('${id(11)}', ${odd}, 'movie', '${id(20)}');
  insert into file_keyframes (file_id, times) values ('${id(16)}', '\\x00ff');
  insert into file_loudness (file_id, size_bytes, mtime_ms, streams, error, retry_at) values
    ('${id(16)}', 9007199254740991, 'Infinity', '[{"index": 1e-300}]', ${odd}, '-infinity');
  insert into file_pins values ('${id(16)}', '${id(20)}', true, '${id(21)}');`;

const works = `
  insert into movies (id, library_id, title, sort_title, identity, year, release_date, overview,
      genres, rating, shuffle, match) values
    ('${id(20)}', '${id(10)}', ${odd}, '', '', -32768, '0044-03-15 BC', ${odd},
     array[null, '', E'a\\nb'], 'NaN', 0.1, '{"score": 0.30000000000000004}'),
    ('${id(21)}', '${id(10)}', 'Heat', 'heat', 'heat|1995', 1995, 'infinity', '', '{}', 1e-38, 0,
     '[]');
  insert into series (id, library_id, title, sort_title, identity, premiered, studios, match) values
    ('${id(40)}', '${id(10)}', ${odd}, '', '', '-infinity', array['', E'\\\\', null], '"\\\\"');
  insert into seasons (id, series_id, number, edits) values
    ('${id(41)}', '${id(40)}', 0, '{"title": "\\u00e4\\n", "overview": null}');
  insert into episodes (id, series_id, season_id, key, place, absolute, title, overview) values
    ('${id(42)}', '${id(40)}', '${id(41)}', ${odd}, E'\\n', 2147483647, '', ${odd}),
    ('${id(43)}', '${id(40)}', '${id(41)}', 's0e1', '', null, null, null);
  insert into episode_files values ('${id(16)}', '${id(42)}', -32768);
  insert into known_episodes values
    ('${id(40)}', 0, -1, ${odd}, '', 'infinity', 9007199254740991);
  insert into known_orders values ('${id(40)}', 'dvd', -1, 0, 0, -1);
  insert into known_seasons values ('${id(40)}', -1, ${odd}, '', '[]');
  insert into external_ids values ('movie', '${id(20)}', 'imdb', 'tt0113277');
  insert into ratings values ('movie', '${id(20)}', 'imdb', 8.3, null);
  insert into people (id, name, sort_name) values ('${id(30)}', ${odd}, '');
  insert into credits values ('movie', '${id(20)}', '${id(30)}', 'actor', ${odd}, -1);
  insert into images (id, kind, item_id, type, source, file_id, sha256, format, width, height,
      blurhash) values
    ('${id(50)}', 'movie', '${id(20)}', 'poster', 'frame', '${id(16)}', '${'cd'.repeat(32)}',
     'jpeg', 1, 1, '\\'),
    ('${id(51)}', 'movie', '${id(20)}', 'poster', 'upload', null, '${uploadedSha256}',
     'jpeg', 1, 1, '');
  insert into image_uploads values ('${id(51)}', E'\\\\x00ff0a5c');
  insert into image_offers values
    ('movie', '${id(20)}', 'poster', 'https://example.org/a?b=\\', 'tmdb', -32768, '');
  insert into metadata_states (kind, item_id, evidence, extras, score, next_at) values
    ('movie', '${id(20)}', ${odd}, '{"a": [1e400]}', 'NaN', 'infinity');
  insert into work_changes (kind, item_id, at, source, user_id, fields) values
    ('movie', '${id(20)}', 'infinity', 'user', '${id(1)}', '{"title": [null, "\\u00e4\\n"]}');
  insert into user_items (user_id, kind, item_id, position_ms, watched_event_at) values
    ('${id(1)}', 'movie', '${id(20)}', 9007199254740991, 'infinity');`;

const work = `
  insert into shared.jobs (name, queue, state, priority, key, payload, attempts, timeout_ms,
      attempt, node_id, worker_id) values
    ('library.probe', 'library', 'waiting', 2, 'one', '{"id": "\\u00e4"}', 3, 1000, 0, null, null),
    ('library.probe', 'library', 'running', 2, 'two', '{}', 3, 1000, 2, 'n1', '${id(70)}'),
    ('library.probe', 'library', 'dead', 2, null, '{}', 3, 1000, 3, 'n1', null),
    ('library.probe', 'library', 'completed', 2, null, '{}', 3, 1000, 1, 'n1', null),
    ('backup.make', 'library', 'running', 2, 'backup', '{}', 3, 1000, 1, 'n1', '${id(70)}'),
    ('search.keep', 'library', 'waiting', 2, 'cron', '{}', 3, 1000, 0, null, null);
  insert into shared.job_queues (queue, limit_override, paused) values ('library', 3, true);
  insert into shared.job_workers (node_id, worker_id) values ('n1', '${id(70)}');
  insert into shared.job_schedules values ('search.keep', '* * * * *', '2026-01-01');
  insert into shared.invalidation_outbox (tags) values ('{movies}');
  insert into shared.idempotency_keys (principal_id, key, operation, request_hash)
    values ('p', 'k', 'o', '\\x00');
  insert into shared.search_words values ('heat', 1);
  insert into shared.search_engines (name, state, format) values ('postgres', 'ready', 2);`;
