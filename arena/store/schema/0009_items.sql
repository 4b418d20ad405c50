-- Pairs of answers on which the pack knows the verdict. The two answers in the order of their ids, so that a pair is there
-- once; A of the verdict is answer_a.
create table known_verdicts (
    answer_a   varchar not null,
    answer_b   varchar not null,
    prompt_id  varchar not null,
    verdict    varchar not null check (verdict in ('A', 'B', 'tie', 'both_bad')),
    reason     varchar not null,
    since      timestamptz not null,
    primary key (answer_a, answer_b),
    check (answer_a < answer_b)
);

-- The host decides on a pair whose votes disagree, or takes that back (verdict null); acts of the log as votes are. The
-- votes stay as they were. Of several acts on one pair the last one holds. The answers in the order of their ids.
create table adjudications (
    seq            bigint primary key,
    prompt_id      varchar not null,
    answer_a       varchar not null,
    answer_b       varchar not null,
    verdict        varchar check (verdict in ('A', 'B', 'tie', 'both_bad')),
    reason         varchar not null,
    decided_by     varchar not null,
    decided_at     timestamptz not null,
    app_version    varchar not null,
    previous_hash  varchar not null unique,
    hash           varchar not null unique,
    check (answer_a < answer_b)
);
