drop index known_episodes_air_date_idx;
drop index known_episodes_absolute_idx;
alter table known_episodes drop column absolute;
