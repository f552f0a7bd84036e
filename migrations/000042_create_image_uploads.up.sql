-- Pictures that people brought themselves: no file and no provider has them.
create table image_uploads (
  image_id uuid primary key references images on delete cascade,
  bytes bytea not null
);
-- They are compressed already.
alter table image_uploads alter column bytes set storage external;
