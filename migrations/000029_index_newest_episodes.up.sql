-- Which episode of a series came last.
create index episodes_added_at_idx on episodes (series_id, added_at);
