-- What a voter wrote is covered by the chain through a digest of it, so that it can go and the vote still fits its own
-- hash. The salt goes with it; without the salt nobody can try words against the digest. Null for votes from before.
alter table votes add column comments_digest varchar;
alter table votes add column comments_salt varchar;

-- An act of the log: votes before it were stored when the chain covered the voters' words themselves. votes_digest
-- stands for what those of them that have, or had, words say beside these. At most one row, and none in a log that began
-- with digests.
create table eras (
    seq            bigint primary key,
    what           varchar not null,
    votes_digest   varchar not null,
    app_version    varchar not null,
    previous_hash  varchar not null unique,
    hash           varchar not null unique
);
