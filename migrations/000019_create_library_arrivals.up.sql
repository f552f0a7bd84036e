-- Paths of which somebody says that a file came or went; a row stays until it was looked at.
create table library_arrivals (
  id uuid primary key default uuidv7(),
  library_id uuid not null references libraries on delete cascade,
  root_id uuid not null references library_roots on delete cascade,
  -- Relative to the root.
  path text collate "C" not null,
  -- It is said to be gone.
  is_gone boolean not null default false,
  -- How often it was looked for and not found.
  tries smallint not null default 0,
  -- A job has begun to look; null: the next one does.
  taken_at timestamptz,
  created_at timestamptz not null default now()
);
create unique index library_arrivals_waiting_key on library_arrivals (root_id, path)
  where taken_at is null;
create index library_arrivals_library_id_idx on library_arrivals (library_id, id);
