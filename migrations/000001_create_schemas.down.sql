drop function shared.fold(text);
drop extension btree_gin;
drop extension unaccent;
drop extension pg_trgm;
drop schema qar;
-- The schema shared stays: it holds the ledger of migrations.
