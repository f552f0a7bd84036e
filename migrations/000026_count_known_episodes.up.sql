-- Counted through all seasons but the specials.
alter table known_episodes add column absolute integer;
update known_episodes k set absolute = c.absolute
from (
  select series_id, season, number,
    row_number() over (partition by series_id order by season, number) as absolute
  from known_episodes where season > 0
) c
where c.series_id = k.series_id and c.season = k.season and c.number = k.number;
create index known_episodes_absolute_idx on known_episodes (series_id, absolute);
-- What is shown on a day.
create index known_episodes_air_date_idx on known_episodes (air_date);
