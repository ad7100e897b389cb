// Package setup reads and writes the set-up file: catalogue, prices, classes,
// customers with their accounts, and limits (CONTRACT §2).
//
// It owns the file's grammar and every check that the file and a catalogue can
// answer: bytes in, values out, no database. A fault is named by file, line and
// path, and all faults of a file are told, not only the first (bounded). Nothing
// is guessed: an unknown or doubled key, a number that is not one, a reference
// to nothing are refused, never read as something near.
//
// Its one invariant: what Parse takes, Resolve makes whole and YAML writes,
// Parse takes again as the same File.
package setup
