-- In which titles and texts are shown to a user; null: as each request accepts.
alter table shared.users add column language text;
