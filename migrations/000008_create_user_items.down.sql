drop table user_items;
