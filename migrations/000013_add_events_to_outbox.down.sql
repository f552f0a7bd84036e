alter table shared.invalidation_outbox drop column told;
