-- In other languages than the library's: a list of language, title and overview.
alter table known_episodes add column translations jsonb not null default '[]';

-- The seasons of a series as a provider knows them, had or not.
create table known_seasons (
  series_id uuid not null references series on delete cascade,
  number integer not null,
  title text,
  overview text,
  translations jsonb not null default '[]',
  primary key (series_id, number)
);
