alter table images drop column source_url;
drop table image_offers;
