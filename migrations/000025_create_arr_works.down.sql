drop table arr_works;
