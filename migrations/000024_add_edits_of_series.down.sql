alter table episodes drop column sources, drop column edits, drop column revision;
alter table seasons drop column edits, drop column revision;
alter table series drop column locked_fields;
