alter table episodes drop column known_season, drop column known_number;
drop table known_orders;
alter table series drop column episode_order;
