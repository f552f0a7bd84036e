alter table known_seasons drop column images;
alter table known_episodes drop column images;
