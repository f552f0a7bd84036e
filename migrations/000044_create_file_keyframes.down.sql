drop table file_keyframes;
