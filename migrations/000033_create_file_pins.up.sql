-- Files that a person gave to works, whatever their names say: no scan gives them to others.
create table file_pins (
  file_id uuid primary key references files on delete cascade,
  item_id uuid not null,
  -- It came by a merge: what is said beside it is not said of the work.
  is_guest boolean not null,
  -- The work it was taken from.
  from_id uuid not null
);
create index file_pins_item_id_idx on file_pins (item_id);
