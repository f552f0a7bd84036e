drop index episodes_added_at_idx;
