drop table library_watches;
