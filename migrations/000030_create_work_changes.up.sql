-- What changed of works when, and by whose word; the last ones of each work.
create table work_changes (
  id uuid primary key default uuidv7(),
  kind text not null,
  item_id uuid not null,
  at timestamptz not null default now(),
  -- 'scan' (names, NFO and hint files), 'user', or a provider.
  source text not null,
  user_id uuid references shared.users on delete set null,
  -- Field → [before, after]; long texts are cut.
  fields jsonb not null
);
create index work_changes_item_idx on work_changes (kind, item_id, id desc);
