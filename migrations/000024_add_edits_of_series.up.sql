-- What a person sets of series, seasons and episodes stays, whatever files and providers say.
alter table series add column locked_fields text[] not null default '{}';
alter table seasons
  add column revision integer not null default 1,
  -- Field → value that a person set: laid over what files and providers tell.
  add column edits jsonb not null default '{}';
alter table episodes
  add column revision integer not null default 1,
  add column edits jsonb not null default '{}',
  -- Field → what of the files told its value ('name', 'nfo').
  add column sources jsonb not null default '{}';
