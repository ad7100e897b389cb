// Package billing holds the words that every room of Chargehand shares: money
// and quantities, days and months, services, accounts, classes, usage records,
// outcomes and postings (SPEC §1, §2).
//
// It owns what a word means and how it is read and written, and refuses to know
// where a value comes from or goes to: no clock, no SQL, no queue. Its one
// invariant is that a value that exists is a legal one: what a parser here lets
// through fits the database, the queue and the arithmetic to the last digit.
package billing
