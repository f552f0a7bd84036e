drop table nfo_states;
