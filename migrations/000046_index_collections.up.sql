-- The films of a set, which few films belong to.
create index movies_collection_idx on movies (collection) where collection is not null;
