drop table shared.invitation;
drop table shared.gathering;
