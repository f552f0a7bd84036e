-- Pictures that providers offer for works; nothing of them is kept before it is wanted.
create table image_offers (
  kind text not null,
  item_id uuid not null,
  type text not null check (type in ('poster', 'backdrop', 'logo', 'thumb', 'banner', 'disc')),
  url text not null,
  provider text not null,
  -- Place among those of its type; the first is fetched.
  place smallint not null,
  -- Absent: there is no text in it.
  language text,
  primary key (kind, item_id, type, url)
);
-- Where a provider's picture is fetched from again.
alter table images add column source_url text;
