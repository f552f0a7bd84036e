-- What is known of works from outside, and when to ask again. One row per work.
create table metadata_states (
  kind text not null,
  item_id uuid not null,
  -- What the work was taken for when this was decided; taken for something else, it is due again.
  evidence text not null default '',
  -- Whose record it was found to be; null: nobody's yet.
  provider text,
  provider_id text,
  -- By an id that a name, an NFO or a person gave, by title and year, or chosen by a person.
  basis text check (basis in ('id', 'title', 'user')),
  score real,
  -- The others that it might have been, best first.
  candidates jsonb not null default '[]',
  -- What the provider tells that no column of the work holds.
  extras jsonb not null default '{}',
  -- External ids that were taken over from the record, and go with it.
  given_ids jsonb not null default '{}',
  -- Tries in a row that found nothing or failed.
  tries smallint not null default 0,
  problem text,
  checked_at timestamptz,
  next_at timestamptz not null default now(),
  primary key (kind, item_id)
);
create index metadata_states_next_at_idx on metadata_states (next_at);

insert into metadata_states (kind, item_id)
  select 'movie', id from movies union all select 'series', id from series;
