-- The episodes of a series as a provider knows them, had or not.
create table known_episodes (
  series_id uuid not null references series on delete cascade,
  season integer not null,
  number integer not null,
  title text,
  overview text,
  air_date date,
  runtime_ms bigint,
  primary key (series_id, season, number)
);
