-- When the file was written anew, and how many acts the log held then: of a text that was withdrawn until that act, no
-- byte is left in the file.
create table rewrites (
    n_log         bigint not null,
    rewritten_at  timestamptz not null
);
