alter table files drop column kept_at;
