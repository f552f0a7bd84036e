drop table work_changes;
