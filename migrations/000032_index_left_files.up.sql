-- Rows of a file with very many names that have left their place, before the others.
create index files_left_idx on files (inode, size_bytes) where missing_since is not null;
