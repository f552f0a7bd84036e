-- Live events of a change, told together with what it made stale; null: none, or of an older node.
alter table shared.invalidation_outbox add column told jsonb;
