drop table nfo_files;
drop table nfo_libraries;
alter table nfo_states drop column is_due;
