drop table file_loudness;
