-- Votes that came as one ranked list of several answers: which list, and how many pairs the same voter's ranking gave.
-- What was voted on stands in votes and battles as for any other vote.
create table ranked_pairs (
    battle_id  varchar primary key,
    list_id    varchar not null,
    n_pairs    integer not null check (n_pairs >= 1)
);

-- What users of a product made of one answer: a thumb, an edit, another try. These are no votes: no board, no export of
-- votes and no count knows of them. A withdrawn one keeps its id and its kind, so that it does not come in again, and
-- nothing of what was said or by whom; is_erased once the file was written anew after that.
create table signals (
    signal_id     varchar primary key,
    kind          varchar not null check (kind in ('thumbs', 'edit', 'regeneration')),
    digest        varchar,
    source        varchar,
    user_id       varchar,
    given_at      timestamptz,
    stored_at     timestamptz not null,
    model         varchar,
    revision      varchar,
    messages      struct(role varchar, content varchar)[],
    category      varchar,
    language      varchar,
    answer        varchar,
    is_up         boolean,
    edited        varchar,
    withdrawn_at  timestamptz,
    is_erased     boolean not null default false,
    check (withdrawn_at is not null or (user_id is not null and answer is not null and messages is not null))
);
