-- The host leaves a voter's votes out of boards and exports, or takes them in again; acts of the log as votes are. The
-- votes stay as they were. Of several acts on one voter the last one holds. decided_by is a name that the host gave.
create table exclusions (
    seq            bigint primary key,
    voter_id       varchar not null,
    is_excluded    boolean not null,
    reason         varchar not null,
    decided_by     varchar not null,
    decided_at     timestamptz not null,
    app_version    varchar not null,
    previous_hash  varchar not null unique,
    hash           varchar not null unique
);

-- The own text of a voter was taken out of a vote that is withdrawn. The vote keeps its hash, which its text was part of;
-- record_hash is the hash that the rest of it has in the same place of the chain, so that the rest is still covered.
create table redactions (
    seq            bigint primary key,
    vote_id        varchar not null unique,
    record_hash    varchar not null,
    redacted_at    timestamptz not null,
    app_version    varchar not null,
    previous_hash  varchar not null unique,
    hash           varchar not null unique
);

-- Stored answers that tell who wrote them, and how: see arena/self_naming.py.
create table named_answers (
    answer_id  varchar primary key,
    told       varchar not null
);
