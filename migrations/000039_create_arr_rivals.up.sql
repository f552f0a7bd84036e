-- Folders of which another server of the same kind spoke first (`arr_works`), and what the later ones
-- say: it is heard once that one says nothing of the folder any more.
create table arr_rivals (
  source text not null check (source in ('radarr', 'sonarr')),
  path text collate "C" not null,
  -- Who says it, by its address.
  server text not null,
  title text not null,
  titles text[] not null default '{}',
  year integer,
  ids jsonb not null,
  claimed_at timestamptz not null default now(),
  primary key (source, path, server)
);
