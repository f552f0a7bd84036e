-- Whose changes lose a name when a user is deleted.
create index work_changes_user_idx on work_changes (user_id) where user_id is not null;
