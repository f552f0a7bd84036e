drop table shared.address_epochs;
drop table images;
