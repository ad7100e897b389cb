// Package verify proves that what is stored is what SPEC §9 says is always true,
// and names each row that breaks it.
//
// It owns the proofs and shares none of the arithmetic that it checks: sums,
// windows, shares and the chain of balances are worked out here by other code
// than that which judged the records, so that a fault of the one shows in the
// other. A charge is proved from its explanation, the one that people are shown.
//
// It writes nothing, holds no more than one account's counters at a time, and
// may run while everything else does: each page of accounts is looked at as of
// one moment, so what it calls broken is broken.
package verify
