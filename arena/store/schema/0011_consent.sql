-- On which terms voters are asked whether their votes may be published. Under one version the terms never change; the
-- digest is of all of them.
create table consent_terms (
    version       varchar primary key,
    digest        varchar not null,
    license       varchar not null,
    purpose       varchar not null check (purpose in ('train', 'eval', 'both')),
    text          varchar not null,
    translations  json not null,
    since         timestamptz not null
);

-- What voters said to them; acts of the log as votes are. Of several acts of one voter the last one holds: a yes for the
-- votes that follow it, a no for all that came before as well. A vote names the terms that it was cast on.
create table consents (
    seq            bigint primary key,
    voter_id       varchar not null,
    version        varchar not null,
    terms_digest   varchar not null,
    is_given       boolean not null,
    said_at        timestamptz not null,
    app_version    varchar not null,
    previous_hash  varchar not null unique,
    hash           varchar not null unique
);
