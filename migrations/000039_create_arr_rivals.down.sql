drop table arr_rivals;
