-- Where films can be cut without a loss, for playback. A film that was looked into has a row.
create table file_keyframes (
  file_id uuid primary key references files on delete cascade,
  -- Of the file that was read: of another size or time, nothing is known of its keyframes.
  size_bytes bigint,
  mtime_ms double precision,
  -- The first in milliseconds, then the step from each to the next, in as few bytes as each takes:
  -- 2 kB for a film, of which an array of integers would make 5 and rows of their own 50.
  times bytea,
  -- Why they cannot be read from this file.
  error text,
  is_due boolean not null default true,
  due_at timestamptz not null default now(),
  -- How often it has taken too long.
  tries smallint not null default 0
);
create index file_keyframes_due_idx on file_keyframes (due_at) where is_due;
create index file_keyframes_error_idx on file_keyframes (file_id) where error is not null;
