-- What Radarr and Sonarr say lies in the folders they keep; asked for again and again.
create table arr_works (
  source text not null check (source in ('radarr', 'sonarr')),
  -- The work's own folder as it is here, absolute.
  path text collate "C" not null,
  title text not null,
  -- In other languages and countries.
  titles text[] not null default '{}',
  year integer,
  -- By source, as in external_ids.
  ids jsonb not null,
  primary key (source, path)
);
