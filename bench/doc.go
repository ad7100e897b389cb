// Package bench measures the whole pipeline, on servers of its own with all
// durability on: from the queue to the commit, with limits on all four scopes.
//
// Machines are shared and noisy, so figures are told beside references of the
// same run: a raw COPY of the same rows, and a queue whose tasks do nothing.
// RESULTS.md keeps what was measured, and what dominated.
package bench
