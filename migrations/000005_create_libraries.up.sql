create table libraries (
  id uuid primary key default uuidv7(),
  kind text not null,
  name text not null check (char_length(name) between 1 and 100),
  language text not null default 'en',
  options jsonb not null default '{}',
  -- Minutes between scans the leader starts by itself; 0: none.
  scan_interval_minutes integer not null default 60 check (scan_interval_minutes between 0 and 44640),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create unique index libraries_name_key on libraries (lower(name));

-- Paths are text in a reversible encoding (storage/media/path.ts) because names on disk are bytes.
create table library_roots (
  id uuid primary key default uuidv7(),
  library_id uuid not null references libraries on delete cascade,
  path text collate "C" not null,
  -- st_dev at the last scan that found it: another one may be the bare mount point of a share.
  device text,
  unavailable_since timestamptz,
  unavailable_reason text,
  -- Taken out of the library by a person; it goes, with what is left below it, once a scan has had
  -- the chance to find its files in the roots that stay.
  removed_at timestamptz
);
create unique index library_roots_path_key on library_roots (path) where removed_at is null;
create index library_roots_library_id_idx on library_roots (library_id);

create table library_scans (
  id uuid primary key default uuidv7(),
  library_id uuid not null references libraries on delete cascade,
  mode text not null check (mode in ('quick', 'full')),
  state text not null check (state in ('queued', 'running', 'completed', 'failed', 'cancelled')),
  phase text not null default 'walk' check (phase in ('walk', 'identify', 'missing', 'done')),
  -- Raised by every run that takes the scan over: what an older run still wants to write is refused.
  epoch integer not null default 0,
  counters jsonb not null default '{}',
  error text,
  requested_by uuid references shared.users on delete set null,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz
);
create index library_scans_library_id_idx on library_scans (library_id, id desc);
-- One scan of a library at a time, whoever asks.
create unique index library_scans_active_key on library_scans (library_id)
  where state in ('queued', 'running');

-- What the last scan saw of each directory, relative to its root ('' is the root itself). A row is
-- made when the directory is discovered, so what is still to be read survives any crash.
create table directories (
  id uuid primary key default uuidv7(),
  root_id uuid not null references library_roots on delete cascade,
  parent_id uuid references directories on delete cascade,
  path text collate "C" not null,
  -- Its modification time when it was read; null: not to be trusted, read it at the next scan.
  mtime_ms double precision,
  -- Discovered, or in doubt: the scan that runs has yet to read it.
  is_due boolean not null default true,
  -- The scan that last read it.
  read_scan_id uuid,
  -- False while its files are recorded but not yet identified.
  is_settled boolean not null default true,
  -- Raised whenever it becomes unsettled, so that identifying an older state settles nothing.
  revision integer not null default 0,
  -- Its parent, or the whole root, was seen without it.
  gone_since timestamptz,
  -- Why it could not be read, and the names in it that were refused: [{name, reason}].
  error text,
  refused jsonb,
  unique (root_id, path)
);
create index directories_parent_id_idx on directories (parent_id);
create index directories_due_idx on directories (root_id, path) where is_due;
create index directories_unsettled_idx on directories (root_id, path) where not is_settled;
create index directories_gone_idx on directories (root_id) where gone_since is not null;
create index directories_problem_idx on directories (root_id)
  where error is not null or refused is not null;

create table files (
  id uuid primary key default uuidv7(),
  -- library_id and root_id repeat what directory_id says, for lookups; so they need no keys.
  library_id uuid not null,
  root_id uuid not null,
  directory_id uuid not null references directories on delete cascade,
  -- Relative to the root.
  path text collate "C" not null,
  name text collate "C" not null,
  role text not null check (role in ('video', 'audio', 'subtitle', 'image', 'nfo', 'extra', 'other')),
  size_bytes bigint not null,
  mtime_ms double precision not null,
  inode text collate "C" not null,
  device text collate "C" not null,
  -- OpenSubtitles hash; null until it is needed.
  oshash text,
  -- The work it belongs to, of the library's kind; null while not identified.
  item_id uuid,
  -- 'Director''s Cut', '2160p' …; what tells the versions of one work apart.
  version text,
  part smallint,
  -- For subtitles, images and the like: language, flags, the file they belong to.
  facts jsonb not null default '{}',
  probe jsonb,
  probe_state text not null default 'none' check (probe_state in ('none', 'due', 'done', 'failed')),
  probe_error text,
  -- When a scan asked again for its probe, since the first job for it was lost or gave up.
  probe_queued_at timestamptz,
  -- Its coming or going is not yet in what its work derives from its files.
  is_refresh_due boolean not null default false,
  missing_since timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
-- At a place there is one file; but any number that used to be there may be missing.
create unique index files_place_key on files (directory_id, name) where missing_since is null;
create index files_directory_id_idx on files (directory_id);
create index files_item_id_idx on files (item_id) where item_id is not null;
create index files_missing_idx on files (library_id, missing_since) where missing_since is not null;
create index files_inode_idx on files (inode, size_bytes);
create index files_oshash_idx on files (library_id, size_bytes) where oshash is not null;
create index files_probe_due_idx on files (library_id, id) where probe_state = 'due';
create index files_probe_failed_idx on files (library_id, id) where probe_state = 'failed';
create index files_refresh_due_idx on files (library_id) where is_refresh_due;

-- What files were before the scan that runs found another file in their place: if the old one turns
-- up elsewhere, it was renamed, and its row follows it.
create table file_traces (
  file_id uuid primary key references files on delete cascade,
  library_id uuid not null,
  inode text collate "C" not null,
  device text collate "C" not null,
  size_bytes bigint not null,
  mtime_ms double precision not null
);
create index file_traces_inode_idx on file_traces (inode, size_bytes);
create index file_traces_library_id_idx on file_traces (library_id);
