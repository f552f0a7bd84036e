drop table shared.activity;
drop table shared.secrets;
drop table shared.settings;
