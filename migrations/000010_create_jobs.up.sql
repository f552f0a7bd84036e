-- Times are PostgreSQL's own throughout, so that nodes whose clocks differ agree on what is due.
create table shared.jobs (
  id uuid primary key default uuidv7(),
  name text not null,
  queue text not null,
  -- waiting: from run_at on it may be taken. dead: the last try failed.
  state text not null default 'waiting'
    check (state in ('waiting', 'running', 'completed', 'cancelled', 'dead')),
  priority smallint not null check (priority between 1 and 3),
  key text,
  payload jsonb not null,
  -- Tries begun, the present one included. What is given back or rescued does not count as one.
  attempt smallint not null default 0,
  attempts smallint not null check (attempts > 0),
  timeout_ms bigint not null check (timeout_ms > 0),
  run_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  -- Who holds it. claims only rises, and an outcome is accepted from the latest claim alone.
  node_id text,
  worker_id uuid,
  claims integer not null default 0,
  rescues smallint not null default 0,
  cancel_requested boolean not null default false,
  progress_done bigint,
  progress_total bigint,
  progress_note text,
  -- The latest tries that failed: [{attempt, at, message}], oldest first.
  errors jsonb not null default '[]'
) with (
  -- Rows live short and change often: room for updates in place, and vacuum by number, not share.
  fillfactor = 80,
  autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_analyze_scale_factor = 0.1
);
create index jobs_due_idx on shared.jobs (queue, priority, run_at, id) where state = 'waiting';
create unique index jobs_key_key on shared.jobs (name, key)
  where key is not null and state in ('waiting', 'running');
create index jobs_running_idx on shared.jobs (worker_id, queue) where state = 'running';
create index jobs_dead_idx on shared.jobs (queue, id desc) where state = 'dead';
create index jobs_finished_at_idx on shared.jobs (finished_at)
  where state in ('completed', 'cancelled', 'dead');

-- Who works: one line per node, renewed by its heartbeat. A new process of a node has a new
-- worker_id, so that what its predecessor held is free at once.
create table shared.job_workers (
  node_id text primary key,
  worker_id uuid not null unique,
  started_at timestamptz not null default now(),
  beat_at timestamptz not null default now()
);

-- What an administrator has set; a queue without a line has its defaults.
create table shared.job_queues (
  queue text primary key,
  limit_override smallint check (limit_override between 0 and 200),
  paused boolean not null default false,
  updated_at timestamptz not null default now()
);

-- The last minute for which a recurring job was enqueued. Raising it and adding the job are one
-- transaction, so that two schedulers cannot both do it.
create table shared.job_schedules (
  name text primary key,
  cron text not null,
  due_at timestamptz not null
);
