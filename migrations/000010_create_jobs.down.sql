drop table shared.job_schedules;
drop table shared.job_queues;
drop table shared.job_workers;
drop table shared.jobs;
