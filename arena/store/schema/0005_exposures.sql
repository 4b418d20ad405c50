-- Answers whose authors a voter has seen named elsewhere than in the reveal of an own vote: on a page with sample ballots.
-- They are not put before that voter any more, so that every vote stays blind.
create table exposures (
    voter_id   varchar not null,
    answer_id  varchar not null,
    seen_at    timestamptz not null,
    primary key (voter_id, answer_id)
);
