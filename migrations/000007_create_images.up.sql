create table images (
  id uuid primary key default uuidv7(),
  kind text not null,
  item_id uuid not null,
  type text not null check (type in ('poster', 'backdrop', 'logo', 'thumb', 'banner', 'disc')),
  source text not null check (source in ('local', 'embedded', 'frame', 'provider', 'upload')),
  -- Place among those of its type and source; the lowest is shown.
  rank smallint not null default 0,
  -- Where it can be made again from: a file (and stream, or time) of the library.
  file_id uuid references files on delete cascade,
  stream_index smallint,
  at_ms bigint,
  -- What that file was like when the picture was taken from it.
  source_mtime_ms double precision,
  source_size_bytes bigint,
  sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  format text not null,
  width integer not null,
  height integer not null,
  blurhash text not null,
  language text,
  -- The one shown, per item and type; the person's choice outranks the order of sources.
  is_chosen boolean not null default false,
  chosen_by_user boolean not null default false,
  created_at timestamptz not null default now()
);
create unique index images_content_key on images (kind, item_id, type, sha256);
create unique index images_chosen_key on images (kind, item_id, type) where is_chosen;
create index images_file_id_idx on images (file_id) where file_id is not null;

-- How often a user has made all signed addresses void; an address remembers the count it was made
-- with. No row: never.
create table shared.address_epochs (
  user_id uuid primary key references shared.users on delete cascade,
  epoch integer not null
);
