-- Prompts that voters typed themselves, each for one live battle. The salt goes into the digest of the prompt, and goes
-- with it: when the vote is withdrawn, prompt and answers are deleted, and no byte of them is left in the file once it
-- was written anew (is_rewritten).
create table own_prompts (
    prompt_id     varchar primary key,
    voter_id      varchar not null,
    salt          varchar,
    typed_at      timestamptz not null,
    erased_at     timestamptz,
    is_rewritten  boolean not null
);
