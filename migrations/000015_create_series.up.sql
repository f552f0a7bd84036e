create table series (
  id uuid primary key default uuidv7(),
  library_id uuid not null references libraries on delete cascade,
  title text not null,
  -- Folded, without its article, numbers padded; compared byte by byte, so pages have one order.
  sort_title text collate "C" not null,
  original_title text,
  -- Folded title and year as the names on disk say: how a scan finds the series again.
  identity text collate "C" not null,
  year smallint,
  premiered date,
  overview text,
  status text,
  certification text,
  genres text[] not null default '{}',
  studios text[] not null default '{}',
  is_available boolean not null default false,
  -- How it was recognised: the chosen reading, its score, the runner-up, what was wrong.
  match jsonb not null default '{}',
  -- Field → where its value comes from ('name', 'nfo').
  sources jsonb not null default '{}',
  revision integer not null default 1,
  added_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index series_sort_title_idx on series (sort_title, id);
create index series_added_at_idx on series (added_at, id);
create index series_library_id_idx on series (library_id, sort_title, id);
create index series_library_added_at_idx on series (library_id, added_at, id);
create index series_identity_idx on series (library_id, identity);

create table seasons (
  id uuid primary key default uuidv7(),
  series_id uuid not null references series on delete cascade,
  -- 0: what belongs to none; a year where days tell the episodes apart.
  number integer not null check (number between 0 and 9999),
  unique (series_id, number)
);

create table episodes (
  id uuid primary key default uuidv7(),
  series_id uuid not null references series on delete cascade,
  season_id uuid not null references seasons on delete cascade,
  -- What the names on disk say it is: 's1e2', 'd2020-01-31', 'a113'.
  key text collate "C" not null,
  -- Where it stands in the series; compared byte by byte.
  place text collate "C" not null,
  number integer,
  -- Counted through all seasons.
  absolute integer,
  air_date date,
  title text,
  overview text,
  duration_ms bigint,
  is_available boolean not null default false,
  added_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (series_id, key)
);
create index episodes_place_idx on episodes (series_id, place, id);
create index episodes_season_id_idx on episodes (season_id);

-- A file may hold several episodes, an episode several files: versions, and parts of them.
create table episode_files (
  file_id uuid not null references files on delete cascade,
  episode_id uuid not null references episodes on delete cascade,
  -- Its place among the episodes of the file.
  position smallint not null default 0,
  primary key (file_id, episode_id)
);
create index episode_files_episode_id_idx on episode_files (episode_id);
