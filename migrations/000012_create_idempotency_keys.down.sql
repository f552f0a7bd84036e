drop table shared.idempotency_keys;
