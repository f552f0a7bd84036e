-- The cluster that owns this database: two of them can never drive one.
create table shared.cluster (
  is_only boolean primary key default true check (is_only),
  cluster_id uuid not null,
  -- Drawn from shared.clock_epoch when the cluster is founded or recovered: what began under an
  -- earlier one is older than everything of this one.
  epoch integer not null check (epoch > 0),
  founded_at timestamptz not null default now()
);

-- Who may change the catalogue. A leader locks this row for share in each of its transactions, and
-- raises the term when it takes office: that waits for the predecessor's transactions to end, and
-- those that come later no longer find their term.
create table shared.leadership (
  is_only boolean primary key default true check (is_only),
  epoch integer not null,
  term bigint not null,
  node_id text not null,
  since timestamptz not null default now()
);
insert into shared.leadership (epoch, term, node_id) values (0, 0, '');

-- Tags made stale by a change, from its transaction until the Raft log has announced them.
create table shared.invalidation_outbox (
  id bigint generated always as identity primary key,
  tags text[] not null,
  created_at timestamptz not null default clock_timestamp()
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

-- Where members were last: so that they find each other when all addresses changed at once.
create table shared.cluster_nodes (
  node_id text primary key,
  cluster_id uuid not null,
  name text not null,
  kind text not null check (kind in ('node', 'witness')),
  addresses jsonb not null,
  boot_epoch bigint not null,
  version text not null,
  announced_at timestamptz not null default now()
);
