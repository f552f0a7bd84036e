create table movies (
  id uuid primary key default uuidv7(),
  library_id uuid not null references libraries on delete cascade,
  title text not null,
  -- Folded, without its article, numbers padded; compared byte by byte, so pages have one order.
  sort_title text collate "C" not null,
  original_title text,
  -- Folded title and year as the names on disk say: how a scan finds the work again.
  identity text collate "C" not null,
  year smallint,
  release_date date,
  runtime_ms bigint,
  overview text,
  tagline text,
  certification text,
  studio text,
  -- The set it belongs to ('The Matrix Collection').
  collection text,
  genres text[] not null default '{}',
  tags text[] not null default '{}',
  -- Of the best known rating, 0 to 10: what lists sort by.
  rating real,
  -- Derived from the available files, so that lists filter without touching them.
  resolutions text[] not null default '{}',
  video_codecs text[] not null default '{}',
  hdr_kinds text[] not null default '{}',
  audio_languages text[] not null default '{}',
  duration_ms bigint,
  size_bytes bigint not null default 0,
  is_available boolean not null default true,
  -- Where it stands when a list is shuffled.
  shuffle double precision not null default random(),
  -- How it was recognised: the chosen reading, its score, the runner-up, what was wrong.
  match jsonb not null default '{}',
  -- Field → where its value comes from ('name', 'nfo', 'embedded', 'user', a provider).
  sources jsonb not null default '{}',
  locked_fields text[] not null default '{}',
  -- Rises with every change of the row: what If-Match compares.
  revision integer not null default 1,
  added_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
-- Every order of a list is an index, read in either direction; nulls are read as a second part.
create index movies_sort_title_idx on movies (sort_title, id);
create index movies_added_at_idx on movies (added_at, id);
create index movies_year_idx on movies (year, id);
create index movies_release_date_idx on movies (release_date, id);
create index movies_duration_idx on movies (duration_ms, id);
create index movies_size_idx on movies (size_bytes, id);
create index movies_rating_idx on movies (rating, id);
create index movies_shuffle_idx on movies (shuffle, id);
create index movies_library_id_idx on movies (library_id, sort_title, id);
create index movies_library_added_at_idx on movies (library_id, added_at, id);
create index movies_library_release_date_idx on movies (library_id, release_date, id);
create index movies_library_rating_idx on movies (library_id, rating, id);
create index movies_identity_idx on movies (library_id, identity);
create index movies_unavailable_idx on movies (id) where not is_available;
create index movies_genres_idx on movies using gin (genres);
create index movies_resolutions_idx on movies using gin (resolutions);
create index movies_video_codecs_idx on movies using gin (video_codecs);
create index movies_hdr_kinds_idx on movies using gin (hdr_kinds);
create index movies_audio_languages_idx on movies using gin (audio_languages);

-- One shape for every kind.
create table external_ids (
  kind text not null,
  item_id uuid not null,
  source text not null,
  value text not null,
  primary key (kind, item_id, source)
);
create index external_ids_value_idx on external_ids (kind, source, value);

create table ratings (
  kind text not null,
  item_id uuid not null,
  source text not null,
  -- 0 to 10, whatever the source's own scale.
  score real not null check (score between 0 and 10),
  votes integer,
  primary key (kind, item_id, source)
);

create table people (
  id uuid primary key default uuidv7(),
  name text not null,
  sort_name text not null,
  created_at timestamptz not null default now()
);
create unique index people_name_key on people (name);

create table credits (
  kind text not null,
  item_id uuid not null,
  person_id uuid not null references people on delete cascade,
  role text not null check (role in ('actor', 'director', 'writer', 'producer', 'composer', 'other')),
  -- The part played, for actors; the job, for `other`.
  "character" text not null default '',
  position smallint not null default 0,
  primary key (kind, item_id, role, person_id, "character")
);
create index credits_person_id_idx on credits (person_id);
