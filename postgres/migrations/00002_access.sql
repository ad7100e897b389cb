-- Why: the HTTP API. Who may ask, what was changed by whom, what a request that
-- is sent again is answered, and by which revision of an account a client judged.
-- How long on a big table: a column with a fixed default is no rewrite: an
-- instant. The tables are new.
-- To undo: drop tokens, audit_log and answers, and the column revision.

-- +goose Up

-- Tokens of the API. The secret itself is nowhere: who has the table cannot ask
-- in anybody's name.
create table tokens (
    id           text collate "C" not null, -- the part of the token that names it
    name         text collate "C" not null,
    secret_hash  bytea            not null, -- SHA-256; the secret has 256 random bits, so that no salt is needed
    scopes       smallint         not null, -- bits: 1 read, 2 feed, 4 manage
    reseller     bigint,                    -- null: the whole installation
    created_at   timestamptz      not null,
    created_by   text collate "C" not null,
    expires_at   timestamptz,
    revoked_at   timestamptz,
    last_used_at timestamptz,               -- to the minute
    constraint a_token_has_one_id primary key (id),
    constraint a_token_has_one_name unique (name),
    constraint a_hash_is_a_sha256 check (length(secret_hash) = 32)
);

-- Every change that a person or a program asked for, written in its transaction.
create table audit_log (
    id         uuid             not null, -- UUIDv7: in the order of time
    at         timestamptz      not null,
    request_id text collate "C" not null,
    actor      text collate "C" not null,
    action     text collate "C" not null, -- a command, or a method and path
    subject    text collate "C" not null, -- number of the account, name of a file
    reason     text collate "C" not null, -- the note
    constraint a_deed_has_one_id primary key (id)
);
create index deeds_of_a_subject on audit_log (subject, id);

-- What requests with an Idempotency-Key were answered.
create table answers (
    token      text collate "C" not null, -- name: keys of two tokens are two keys
    key        text collate "C" not null,
    hash       bytea            not null, -- of method, path and body
    reserved   text collate "C" not null, -- what the request chose before it acted
    claimed_at timestamptz      not null,
    claim      uuid             not null, -- which of the requests carries it out
    status     smallint,                  -- null: in progress
    head       jsonb,
    body       bytea,
    constraint a_key_has_one_answer primary key (token, key),
    constraint an_answer_is_whole check ((status is null) = (body is null) and (status is null) = (head is null))
);
create index answers_by_age on answers (claimed_at);

-- Raised by every change of terms, links, limits and profile, and of the status by
-- hand; not by usage and payments. Clients name it in If-Match.
alter table accounts add column revision bigint not null default 0;
