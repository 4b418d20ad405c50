-- Who competes, on what, with which texts. Facts only: a rating is always derived from votes.
create table models (
    model_id      varchar primary key,
    name          varchar not null,
    organization  varchar,
    license       varchar,
    open_weights  boolean,
    url           varchar,
    aliases       varchar[] not null,
    added_at      timestamptz not null,
    retired_at    timestamptz
);

create table prompts (
    prompt_id  varchar primary key,
    digest     varchar not null,
    messages   struct(role varchar, content varchar)[] not null,
    category   varchar,
    language   varchar,
    source     varchar,
    license    varchar,
    added_at   timestamptz not null
);

-- The id is a digest of prompt, model and text: another text is another answer, so a stored vote's texts never change.
create table answers (
    answer_id      varchar primary key,
    prompt_id      varchar not null,
    model_id       varchar not null,
    text           varchar not null,
    revision       varchar,
    params         json,
    tokens         integer,
    latency_ms     double,
    finish_reason  varchar,
    added_at       timestamptz not null,
    -- When a newer answer of the same model took its place; such an answer is kept for its votes and not served.
    replaced_at    timestamptz
);

-- The rules of the arena and its guideline, as they were in force one after the other. The highest number counts; no
-- clock decides.
create table rules (
    number             integer primary key,
    digest             varchar not null,
    text               varchar not null,
    guideline_version  varchar,
    since              timestamptz not null
);

create table guidelines (
    version        varchar primary key,
    when_in_doubt  varchar not null,
    text           varchar not null,
    since          timestamptz not null
);

-- Two answers to one prompt with sides drawn. The prompt and the answers are null only for imported votes that came
-- without them, the probability only where somebody else drew.
create table battles (
    battle_id          varchar primary key,
    conversation_id    varchar not null,
    turn               integer not null,
    prompt_id          varchar,
    answer_a           varchar,
    answer_b           varchar,
    model_a            varchar not null,
    model_b            varchar not null,
    item_kind          varchar not null check (item_kind in ('fresh', 'overlap', 'repeat', 'gold')),
    batch              varchar,
    draw_probability   double check (draw_probability > 0 and draw_probability <= 1),
    sampling_policy    varchar,
    drawn_at           timestamptz
);

-- The blind view of a battle that one voter was given.
create table ballots (
    ballot_id   varchar primary key,
    battle_id   varchar not null unique,
    voter_id    varchar not null,
    opened_at   timestamptz not null,
    expires_at  timestamptz not null
);

-- The log: append-only, numbered without gaps, each row chained to the one before by its hash.
-- battle_id is unique: whatever happens above, a battle (and so a ballot) takes one vote.
create table votes (
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
    previous_hash       varchar not null unique,
    hash                varchar not null unique
);

-- A stored leaderboard: which votes (the log up to seq, with that row's hash), which settings, which numbers.
create table snapshots (
    snapshot_id  varchar primary key,
    computed_at  timestamptz not null,
    n_log        bigint not null,
    log_hash     varchar not null,
    settings     json not null,
    leaderboard  json not null,
    app_version  varchar not null
);

-- A vote with everything that it was cast on, as docs/schema.md describes it.
create view vote_log as
select
    v.seq, v.vote_id, v.battle_id, b.conversation_id, b.turn, v.voted_at, b.prompt_id, p.messages as prompt,
    x.text as answer_a, y.text as answer_b, b.model_a, b.model_b,
    x.revision as revision_a, y.revision as revision_b, x.params as params_a, y.params as params_b,
    x.tokens as tokens_a, y.tokens as tokens_b, x.latency_ms as latency_ms_a, y.latency_ms as latency_ms_b,
    v.shown_on_left, v.verdict, v.strength, v.dimensions, v.reasons, v.confidence, v.comments,
    v.voter_id, v.voter_wrote_prompt, v.time_to_vote_ms, v.blind, v.source, v.guideline_version, v.prompt_digest, v.phase,
    b.item_kind, b.batch, b.draw_probability, b.sampling_policy, v.consent_version, v.purpose, v.app_version,
    v.previous_hash, v.hash
from votes v
join battles b using (battle_id)
left join prompts p using (prompt_id)
left join answers x on x.answer_id = b.answer_a
left join answers y on y.answer_id = b.answer_b;
