-- Why: a request with an Idempotency-Key is carried out and answered in one
-- transaction (ADR 12). So no row says any more that one is in progress, who
-- carries it out and what it chose. Those that say it go: their servers stop for
-- the upgrade, and what is sent again is carried out by what it finds.
-- How long on a big table: it holds a day of answers, which are read twice. A
-- million took six seconds on two busy cores; no request with a key is answered
-- meanwhile.
-- To undo: rename the column back; add reserved (''), claim (any uuid) and the
-- constraint; let status, head and body be null.

-- +goose Up

delete from answers where status is null;

alter table answers
    drop constraint an_answer_is_whole,
    drop column reserved,
    drop column claim,
    alter column status set not null,
    alter column head set not null,
    alter column body set not null;

alter table answers rename column claimed_at to answered_at;
