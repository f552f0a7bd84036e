-- What clients have asked for under a key of their own: the row is part of the change it stands for,
-- so a request that is sent again, to whichever node, is carried out once.
create table shared.idempotency_keys (
  principal_id text not null,
  key text not null check (length(key) between 1 and 255),
  operation text not null,
  -- SHA-256 of what was asked; another request under the same key is a mistake.
  request_hash bytea not null,
  status smallint,
  answer jsonb,
  created_at timestamptz not null default now(),
  primary key (principal_id, key)
);
create index idempotency_keys_created_at_idx on shared.idempotency_keys (created_at);
