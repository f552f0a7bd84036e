-- What can be found, of all kinds: the index of PostgreSQL itself, and what Typesense is filled
-- from when it is there. Everything in it is derived and can be rebuilt.
create table shared.search_documents (
  kind text not null,
  item_id uuid not null,
  audience text not null,
  title text not null,
  titles text[] not null,
  people text[] not null,
  year smallint,
  subtitle text,
  -- Folded names, the title's first, each between line feeds: tells exact from passing matches.
  phrases text not null,
  -- A: the title's words, B: of other titles, C: of people, D: the rest. Besides words it holds
  -- '<a' to '<abc' (how words of titles begin), '^a' to '^abcdef' (how titles begin) and
  -- '=whole title', so that one to three typed letters cost one posting list each.
  words tsvector not null,
  -- 'field=value'.
  facets text[] not null,
  rank real not null,
  added_at timestamptz not null,
  -- Of the rebuild that wrote it, or was the latest when it was written.
  generation bigint not null,
  primary key (kind, item_id)
);
create index search_documents_words_idx on shared.search_documents using gin (words);
create index search_documents_facets_idx on shared.search_documents using gin (facets);
create index search_documents_rank_idx on shared.search_documents (rank desc, item_id);
-- One or two letters match so many documents that the planner must know how many.
alter table shared.search_documents alter column words set statistics 1000;

-- Every word of four letters and more, to find what a mistyped one may have meant.
create table shared.search_words (
  word text collate "C" primary key,
  generation bigint not null
);
create index search_words_trigram_idx on shared.search_words using gin (word gin_trgm_ops);

create sequence shared.search_generation;
select setval('shared.search_generation', 1);

-- Words that resemble a mistyped one, nearest first; the caller counts the mistakes exactly. The
-- threshold is low because two swapped letters change four of the seven trigrams of a short word.
create function shared.search_similar_words(typed text, is_prefix boolean, most integer)
returns setof text
language sql stable parallel safe
set pg_trgm.word_similarity_threshold = '0.25'
begin atomic
  select word from shared.search_words
  where typed operator(public.<%) word
    and char_length(word) >= char_length(typed) - 2
    and (is_prefix or char_length(word) <= char_length(typed) + 2)
  order by public.word_similarity(typed, word) desc, char_length(word), word
  limit most;
end;

-- What each engine has yet to hear of, in the order it was told. Only ever appended to and
-- deleted from: concurrent writers never meet on a row.
create table shared.search_pending (
  seq bigint generated always as identity primary key,
  engine text not null,
  kind text not null,
  item_id uuid not null,
  noted_at timestamptz not null default now()
);
create index search_pending_engine_idx on shared.search_pending (engine, seq);

-- Where each engine stands. 'rebuild': it must be filled anew before it is asked.
create table shared.search_engines (
  name text primary key,
  state text not null check (state in ('ready', 'rebuild')),
  format integer not null,
  changed_at timestamptz not null default now()
);
