create table shared.users (
  id uuid primary key default uuidv7(),
  username text not null check (char_length(username) between 1 and 64),
  display_name text check (char_length(display_name) between 1 and 100),
  role text not null check (role in ('admin', 'user')),
  -- A PHC string; null for accounts that sign in elsewhere (OIDC, later).
  password_hash text,
  password_changed_at timestamptz,
  disabled_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create unique index users_username_key on shared.users (lower(username));
create index users_admins_idx on shared.users (id) where role = 'admin' and disabled_at is null;

create table shared.sessions (
  id uuid primary key default uuidv7(),
  user_id uuid not null references shared.users on delete cascade,
  device_name text,
  -- Where the session was last refreshed from; a retried refresh must come from the same client.
  ip inet,
  user_agent text,
  created_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  -- Slides with each refresh, up to the absolute end.
  expires_at timestamptz not null,
  absolute_expires_at timestamptz not null,
  revoked_at timestamptz,
  revoked_reason text
);
create index sessions_user_id_idx on shared.sessions (user_id, created_at desc);
create index sessions_expires_at_idx on shared.sessions (expires_at);

-- One row per refresh token ever issued to a session: showing a used one again ends the session.
create table shared.refresh_tokens (
  token_hash bytea primary key,
  session_id uuid not null references shared.sessions on delete cascade,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  used_at timestamptz,
  -- The token that replaced this one: its hash, and itself under a key that only the bearer of
  -- this one can derive, so that an answer lost on the way can be given again.
  successor_hash bytea,
  successor_sealed bytea
);
create index refresh_tokens_session_id_idx on shared.refresh_tokens (session_id);
create index refresh_tokens_sealed_idx on shared.refresh_tokens (session_id)
  where successor_sealed is not null;
create index refresh_tokens_expires_at_idx on shared.refresh_tokens (expires_at);

create table shared.api_keys (
  id uuid primary key default uuidv7(),
  user_id uuid not null references shared.users on delete cascade,
  name text not null check (char_length(name) between 1 and 100),
  prefix text not null,
  key_hash bytea not null unique,
  scopes text[] not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  last_used_at timestamptz
);
create index api_keys_user_id_idx on shared.api_keys (user_id, id);
create index api_keys_expires_at_idx on shared.api_keys (expires_at) where expires_at is not null;

-- At most one row: the open offer to make the first administrator, then that it was taken.
create table shared.setup (
  only_one boolean primary key default true check (only_one),
  token_hash bytea,
  expires_at timestamptz,
  completed_at timestamptz,
  check (completed_at is null or token_hash is null)
);
