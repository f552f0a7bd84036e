drop index files_left_idx;
