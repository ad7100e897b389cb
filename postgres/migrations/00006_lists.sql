-- Why: lists of accounts that are near their threshold, on hold or deleted read all
-- accounts to find the few. Both indexes stay as they are while an account is used:
-- only what begins or ends a debt, or a hold, touches them, so that a batch goes on
-- rewriting a state in place.
-- How long on a big table: half a million accounts are read twice, in a second or
-- two on two busy cores; nobody writes account_states meanwhile.
-- To undo: drop index accounts_in_debt, accounts_not_active.

-- +goose Up

create index accounts_in_debt on account_states (account) where negative_since is not null;
create index accounts_not_active on account_states (status, account) where status <> 0;
