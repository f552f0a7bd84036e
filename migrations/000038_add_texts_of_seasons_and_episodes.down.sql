drop table known_seasons;
alter table known_episodes drop column translations;
