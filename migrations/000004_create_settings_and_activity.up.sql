create table shared.settings (
  key text primary key,
  value jsonb not null,
  updated_at timestamptz not null default now(),
  updated_by uuid references shared.users on delete set null
);

-- Keys and ids that are made once and must be the same on every node.
create table shared.secrets (
  name text primary key,
  value bytea not null,
  created_at timestamptz not null default now()
);

create table shared.activity (
  id uuid primary key default uuidv7(),
  at timestamptz not null default now(),
  user_id uuid references shared.users on delete set null,
  username text,
  action text not null,
  resource_type text,
  resource_id text,
  success boolean not null default true,
  ip inet,
  details jsonb not null default '{}'
);
create index activity_user_id_idx on shared.activity (user_id, id desc);
create index activity_action_idx on shared.activity (action, id desc);
create index activity_at_idx on shared.activity (at);
