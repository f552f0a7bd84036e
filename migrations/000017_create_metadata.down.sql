drop table metadata_states;
