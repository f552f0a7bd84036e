alter table libraries drop column vanished_confirmed_at;
