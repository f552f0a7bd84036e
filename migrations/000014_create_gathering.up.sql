-- Empty nodes that are told to found a cluster together (cluster.raft.bootstrap_expect) see each other
-- here: whoever writes its line again and again is there.
create table shared.gathering (
  node_id text primary key,
  expected integer not null check (expected > 0),
  seen_at timestamptz not null default clock_timestamp()
);

-- What the one that founded it lets the others in by.
create table shared.invitation (
  cluster_id uuid primary key,
  token text not null,
  addresses text[] not null,
  expires_at timestamptz not null
);
