alter table arr_works drop column server;
