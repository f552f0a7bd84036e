-- What people leave out of a directory and what lies below it, by files of their own: [{name, text}].
alter table directories add column ignores jsonb;
-- What was left out of a directory when it was read: the file that says so → how many entries.
alter table directories add column ignored jsonb;
create index directories_ignores_idx on directories (root_id, path) where ignores is not null;
create index directories_ignored_idx on directories (root_id) where ignored is not null;
-- By which files a scan left things out: [{path, entries}], absolute paths, the most first.
alter table library_scans add column ignored_by jsonb not null default '[]';
