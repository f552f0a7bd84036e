-- Which node sees which root, and since when it is so; a node says so again and again. What one node
-- does not see is not away as long as another sees it.
create table root_views (
  root_id uuid not null references library_roots on delete cascade,
  node_id text not null,
  is_seen boolean not null,
  -- Why it is not.
  reason text,
  at timestamptz not null default now(),
  primary key (root_id, node_id)
);
