-- Ballots of several answers to one prompt, which one voter puts in order; answers in the order in which they are shown.
create table list_ballots (
    ballot_id         varchar primary key,
    voter_id          varchar not null,
    prompt_id         varchar not null,
    answers           varchar[] not null,
    draw_probability  double not null check (draw_probability > 0 and draw_probability <= 1),
    sampling_policy   varchar not null,
    opened_at         timestamptz not null,
    expires_at        timestamptz not null
);

-- The order that was said: a rank for each answer as shown, 1 the best, equal ones for answers that are as good. What it
-- says of pairs are votes, whose battles are called by the ballot's id, a dot and a number; first_seq is the first of
-- them in the log. A ballot has a ranking, a row in skips, or neither.
create table rankings (
    ballot_id  varchar primary key,
    ranks      integer[] not null,
    first_seq  bigint not null unique,
    said_at    timestamptz not null
);
