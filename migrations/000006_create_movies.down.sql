drop table credits;
drop table people;
drop table ratings;
drop table external_ids;
drop table movies;
