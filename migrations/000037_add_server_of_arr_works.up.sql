-- Which of several servers says it, by its address; '': the one there was before there were several.
alter table arr_works add column server text not null default '';
