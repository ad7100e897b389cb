// Package worker is the flow: it takes batches of usage records through state,
// judgement and commit.
//
// Each shard has one owner in one worker, by lease. The owner reads what it does
// not know yet, judges - a pure function: records, account states and settings
// in, outcomes and new states out - and writes everything in one transaction,
// guarded by the versions of the accounts it judged. Where a guard fails, it
// forgets what it knew of these accounts and judges again.
//
// PostgreSQL says which batches wait and in which order; the queue only reminds.
// So a delivery more or less, another worker on the same shard, a cold cache or
// a lost queue change when things happen, never what happens: that is this
// room's invariant.
package worker
