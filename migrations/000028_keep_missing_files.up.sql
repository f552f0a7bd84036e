-- What went missing before that time is not forgotten by itself: a person has said so.
alter table files add column kept_at timestamptz;
