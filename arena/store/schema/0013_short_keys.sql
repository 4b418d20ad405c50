-- The table of votes without unique keys on its two hashes, the longest keys that there were: DuckDB keeps every key in
-- memory that it has looked at since the last checkpoint, and these came to half of what a vote took there. What they
-- refused is refused without them: the one writer takes number and hash of the last act together, and seq is unique; a
-- row that somebody slips in with a copied hash is found by the walk along the chain, which looks at all acts and not at
-- votes alone. Every other key is as it was: battle_id is what lets a battle take one vote.
-- DuckDB cannot drop a constraint, so the rows move, in their order and with all their values.
create table votes_without_hash_keys (
    seq                 bigint primary key,
    vote_id             varchar not null unique,
    battle_id           varchar not null unique,
    voted_at            timestamptz,
    stored_at           timestamptz not null,
    verdict             varchar not null check (verdict in ('A', 'B', 'tie', 'both_bad')),
    source              varchar not null check (source in ('human', 'ai_judge', 'rule', 'import', 'simulated')),
    voter_id            varchar,
    shown_on_left       varchar check (shown_on_left in ('A', 'B')),
    strength            integer,
    confidence          varchar,
    dimensions          json,
    reasons             json,
    comments            json,
    voter_wrote_prompt  boolean,
    time_to_vote_ms     bigint check (time_to_vote_ms >= 0),
    blind               boolean,
    guideline_version   varchar,
    prompt_digest       varchar,
    phase               varchar not null check (phase in ('calibration', 'production')),
    purpose             varchar,
    consent_version     varchar,
    app_version         varchar not null,
    import_key          varchar unique,
    previous_hash       varchar not null,
    hash                varchar not null,
    scale               varchar,
    ratings             json,
    acceptable          boolean,
    comments_digest     varchar,
    comments_salt       varchar
);
insert into votes_without_hash_keys from votes;
drop table votes;
alter table votes_without_hash_keys rename to votes;
