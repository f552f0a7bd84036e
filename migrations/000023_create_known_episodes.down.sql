drop table known_episodes;
