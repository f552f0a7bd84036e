-- shared: users, sessions, settings and whatever the content kinds have in common.
-- qar: the adult module, apart from everything else. public: the content kinds.
create schema if not exists shared;
create schema if not exists qar;

create extension if not exists pg_trgm with schema public;
create extension if not exists unaccent with schema public;
create extension if not exists btree_gin with schema public;

-- Lower case without accents, for indexes and comparisons. unaccent() is only stable, because its
-- dictionary can be replaced; we name the dictionary and promise not to.
create function shared.fold(value text) returns text
language sql immutable strict parallel safe
return lower(public.unaccent('public.unaccent'::regdictionary, value));
