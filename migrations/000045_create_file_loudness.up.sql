-- How loud films are, in libraries that ask for it: it takes minutes for each.
create table file_loudness (
  file_id uuid primary key references files on delete cascade,
  -- Of the file that was measured: of another size or time, nothing is known of its loudness.
  size_bytes bigint not null,
  mtime_ms double precision not null,
  -- [{index, integrated, range, truePeak}] by EBU R 128; null where it could not be measured.
  streams jsonb,
  -- Why not, and from when on it is worth another try; null: from this file it never will be.
  error text,
  retry_at timestamptz,
  tries smallint not null default 0
);
create index file_loudness_error_idx on file_loudness (file_id) where error is not null;
