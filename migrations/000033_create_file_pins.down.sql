drop table file_pins;
