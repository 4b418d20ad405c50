-- How voters judged the worked examples of a guideline before their first vote. These are no votes: no board, no export
-- and no count knows of them. The verdict is null for an example that was passed over.
create table calibrations (
    voter_id           varchar not null,
    guideline_version  varchar not null,
    example            integer not null check (example >= 1),
    verdict            varchar check (verdict in ('A', 'B', 'tie', 'both_bad')),
    answered_at        timestamptz not null,
    primary key (voter_id, guideline_version, example)
);
