-- Votes that their voters took back. The vote's row stays as it is; the withdrawal is an act of its own in the same log:
-- its number follows the one of the act before it, vote or withdrawal, and so does its hash.
create table withdrawals (
    seq            bigint primary key,
    vote_id        varchar not null unique,
    voter_id       varchar not null,
    withdrawn_at   timestamptz not null,
    app_version    varchar not null,
    previous_hash  varchar not null unique,
    hash           varchar not null unique
);

-- Ballots that were closed without a vote. Nobody was revealed, and no board or export knows of them.
create table skips (
    ballot_id   varchar primary key,
    reason      varchar not null check (reason in ('cannot_judge', 'too_alike', 'broken', 'other')),
    skipped_at  timestamptz not null
);

-- As before, with the time at which a vote was withdrawn; null for a vote that stands.
create or replace view vote_log as
select
    v.seq, v.vote_id, v.battle_id, b.conversation_id, b.turn, v.voted_at, b.prompt_id, p.messages as prompt,
    x.text as answer_a, y.text as answer_b, b.model_a, b.model_b,
    x.revision as revision_a, y.revision as revision_b, x.params as params_a, y.params as params_b,
    x.tokens as tokens_a, y.tokens as tokens_b, x.latency_ms as latency_ms_a, y.latency_ms as latency_ms_b,
    v.shown_on_left, v.verdict, v.strength, v.dimensions, v.reasons, v.confidence, v.comments,
    v.voter_id, v.voter_wrote_prompt, v.time_to_vote_ms, v.blind, v.source, v.guideline_version, v.prompt_digest, v.phase,
    b.item_kind, b.batch, b.draw_probability, b.sampling_policy, v.consent_version, v.purpose, v.app_version,
    v.previous_hash, v.hash, w.withdrawn_at
from votes v
join battles b using (battle_id)
left join prompts p using (prompt_id)
left join answers x on x.answer_id = b.answer_a
left join answers y on y.answer_id = b.answer_b
left join withdrawals w on w.vote_id = v.vote_id;
