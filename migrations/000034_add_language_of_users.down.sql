alter table shared.users drop column language;
