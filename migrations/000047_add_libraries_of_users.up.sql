-- The libraries whose works a user may see; null: all, also those made later; none: nothing.
-- Administrators see all whatever it says.
alter table shared.users add column library_ids uuid[];
