-- Pictures that a provider offers: a list of type, url and language, best first.
alter table known_episodes add column images jsonb not null default '[]';
alter table known_seasons add column images jsonb not null default '[]';
