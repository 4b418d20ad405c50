-- What a voter says beside the verdict, where the rules of the arena ask for it. strength counts steps on the scale that
-- was shown: it means nothing without it.
alter table votes add column scale varchar;
alter table votes add column ratings json;
alter table votes add column acceptable boolean;

create or replace view vote_log as
select
    v.seq, v.vote_id, v.battle_id, b.conversation_id, b.turn, v.voted_at, b.prompt_id, p.messages as prompt,
    x.text as answer_a, y.text as answer_b, b.model_a, b.model_b,
    x.revision as revision_a, y.revision as revision_b, x.params as params_a, y.params as params_b,
    x.tokens as tokens_a, y.tokens as tokens_b, x.latency_ms as latency_ms_a, y.latency_ms as latency_ms_b,
    v.shown_on_left, v.verdict, v.strength, v.scale, v.dimensions, v.ratings, v.acceptable, v.reasons, v.confidence,
    v.comments,
    v.voter_id, v.voter_wrote_prompt, v.time_to_vote_ms, v.blind, v.source, v.guideline_version, v.prompt_digest, v.phase,
    b.item_kind, b.batch, b.draw_probability, b.sampling_policy, v.consent_version, v.purpose, v.app_version,
    v.previous_hash, v.hash, w.withdrawn_at
from votes v
join battles b using (battle_id)
left join prompts p using (prompt_id)
left join answers x on x.answer_id = b.answer_a
left join answers y on y.answer_id = b.answer_b
left join withdrawals w on w.vote_id = v.vote_id;
