drop table shared.setup;
drop table shared.api_keys;
drop table shared.refresh_tokens;
drop table shared.sessions;
drop table shared.users;
