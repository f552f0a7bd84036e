-- Which node hears of changes in which root at once, and which cannot, and why. A node says so again
-- and again: what it said last holds until then.
create table library_watches (
  root_id uuid not null references library_roots on delete cascade,
  node_id text not null,
  is_watching boolean not null,
  -- Why events of the root do not reach this node.
  reason text,
  until timestamptz not null,
  primary key (root_id, node_id)
);
-- One node per root.
create unique index library_watches_owner_key on library_watches (root_id) where is_watching;
