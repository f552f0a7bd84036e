-- In which order the numbers of its files count, as a person says; null: as its provider counts.
alter table series add column episode_order text
  check (episode_order in ('aired', 'dvd', 'absolute'));

-- Where episodes stand in orders other than the one they are known by.
create table known_orders (
  series_id uuid not null references series on delete cascade,
  episode_order text not null check (episode_order in ('aired', 'dvd')),
  season integer not null,
  number integer not null,
  known_season integer not null,
  known_number integer not null,
  primary key (series_id, episode_order, season, number)
);

-- Which of those that a provider knows an episode is.
alter table episodes add column known_season integer, add column known_number integer;
update episodes e set known_season = k.season, known_number = k.number
from seasons n, known_episodes k
where n.id = e.season_id and k.series_id = e.series_id and (
  (k.season = n.number and k.number = e.number)
  or (n.number = 1 and k.absolute = coalesce(e.absolute, e.number) and not exists (
    select from known_episodes o
    where o.series_id = e.series_id and o.season = 1 and o.number = e.number)));
