alter table shared.users drop column library_ids;
