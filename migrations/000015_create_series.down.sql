drop table episode_files;
drop table episodes;
drop table seasons;
drop table series;
