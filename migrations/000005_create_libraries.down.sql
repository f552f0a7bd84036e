drop table file_traces;
drop table files;
drop table directories;
drop table library_scans;
drop table library_roots;
drop table libraries;
