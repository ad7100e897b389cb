// Package limits is the judgement: whether a record fits the usage allowance
// limits of its account (SPEC §4), and what a balance obliges us to do with an
// account (SPEC §6).
//
// It owns what ceilings, thresholds and statuses mean, and refuses to know where
// a counter or a balance comes from or where a verdict goes: no context, no
// clock, no SQL, no logger, and no price. Whoever asks brings the values and the
// now, and carries the verdict out under the account's version.
//
// Its invariant is that a judgement can be repeated: the same settings, counters
// and record give the same reason, which is the first breach that the explanation
// names; and of one balance, terms and now either the test for hold or the test
// for release says yes, never both and never neither, so that no account flips
// while nothing changes.
package limits
