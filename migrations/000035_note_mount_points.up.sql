-- A share is mounted at this directory of a root; empty, it is taken for one that is not mounted.
alter table directories add column is_mount boolean not null default false;
