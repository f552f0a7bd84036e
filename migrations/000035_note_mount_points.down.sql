alter table directories drop column is_mount;
