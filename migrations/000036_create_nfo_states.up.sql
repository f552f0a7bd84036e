-- Of works whose NFO files are written: the state of the work that they tell.
create table nfo_states (
  kind text not null,
  item_id uuid not null,
  version text not null,
  -- Why it is not as it should be, and when it is tried again.
  problem text,
  next_at timestamptz not null default now(),
  primary key (kind, item_id)
);
