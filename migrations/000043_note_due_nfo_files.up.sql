-- What has changed since its NFO files were written is noted as it changes; `version` names the change.
alter table nfo_states add column is_due boolean not null default true;
create index nfo_states_due_idx on nfo_states (next_at) where is_due;

-- Libraries that ask for NFO files, of which all works have been noted once.
create table nfo_libraries (
  library_id uuid primary key references libraries on delete cascade
);

-- NFO files we wrote, and of which work: what becomes of them when its videos have other names.
create table nfo_files (
  root_id uuid not null references library_roots on delete cascade,
  path text collate "C" not null,
  kind text not null,
  item_id uuid not null,
  primary key (root_id, path)
);
create index nfo_files_item_id_idx on nfo_files (kind, item_id);
