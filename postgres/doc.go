// Package postgres is the memory: every SQL statement of Chargehand stands here.
//
// A Store reads, a Tx writes. What must be true together is written in one
// transaction: a batch's records with their outcomes, the counters and balances
// that they moved, and the batch's own state (SPEC R5.12).
//
// The one invariant is the version of an account. Whoever changes anything of
// an account - a batch, a payment, limits, a hold, a class - raises it in the
// same transaction, and whoever writes an account says which version it was
// judged by. A write that finds another version changes nothing and is an
// ErrStale: judge again from what is true now. So no lock is held while
// judging, and two workers on one account cannot both commit.
//
// The settings (price book, catalogue, classes, limits of all accounts) have a
// version too. Batches commit holding the settings table in row share mode and
// a change of settings holds it in exclusive mode, so that no batch commits on
// a price book that has just been replaced (docs/adr/0003).
package postgres
