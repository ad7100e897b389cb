// Package rating is the price: which one a record has, and what it makes of the
// record's quantity (SPEC §3).
//
// It owns the price book, the models, the one rounding of a charge and its
// explanation. It refuses to know who is asking: no clock, no storage, no log; a
// counter comes in with the record and goes out unchanged. Its one invariant is
// that the same book, counter and record give the same charge, to the last
// digit, whichever path computed it: Rate is quick, Explain is readable, Follows
// starts from nothing, and the tests hold the three against each other.
package rating
