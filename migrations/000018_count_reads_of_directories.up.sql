-- How often a directory was taken in: who has read it before another took it in saves nothing.
alter table directories add column reads integer not null default 0;
