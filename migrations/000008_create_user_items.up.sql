-- A person's state of a work: it belongs to the work, so files may come and go.
create table user_items (
  user_id uuid not null references shared.users on delete cascade,
  kind text not null,
  item_id uuid not null,
  -- Where to go on, 0 when there is nothing to go on with.
  position_ms bigint not null default 0 check (position_ms >= 0),
  duration_ms bigint,
  -- The version last played; it may be gone by now.
  file_id uuid,
  watched_at timestamptz,
  play_count integer not null default 0,
  last_played_at timestamptz,
  favourite_at timestamptz,
  watchlist_at timestamptz,
  -- When the client says it happened: the later event wins, whichever node hears it first.
  progress_event_at timestamptz not null default '-infinity',
  watched_event_at timestamptz not null default '-infinity',
  updated_at timestamptz not null default now(),
  primary key (user_id, kind, item_id)
);
create index user_items_continue_idx on user_items (user_id, last_played_at, kind, item_id)
  where position_ms > 0;
create index user_items_watched_idx on user_items (user_id, kind, item_id) where watched_at is not null;
create index user_items_favourite_idx on user_items (user_id, favourite_at, kind, item_id)
  where favourite_at is not null;
create index user_items_watchlist_idx on user_items (user_id, watchlist_at, kind, item_id)
  where watchlist_at is not null;
create index user_items_item_idx on user_items (kind, item_id);
