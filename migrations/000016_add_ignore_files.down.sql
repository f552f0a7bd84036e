alter table library_scans drop column ignored_by;
drop index directories_ignored_idx;
drop index directories_ignores_idx;
alter table directories drop column ignored;
alter table directories drop column ignores;
