drop index work_changes_user_idx;
