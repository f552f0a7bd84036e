drop table shared.search_engines;
drop table shared.search_pending;
drop sequence shared.search_generation;
drop function shared.search_similar_words(text, boolean, integer);
drop table shared.search_words;
drop table shared.search_documents;
