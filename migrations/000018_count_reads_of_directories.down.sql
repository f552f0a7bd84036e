alter table directories drop column reads;
