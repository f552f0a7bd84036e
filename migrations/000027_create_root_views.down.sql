drop table root_views;
