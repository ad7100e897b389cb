// Package feed is the door: what comes in as NDJSON, CSV or CloudEvents goes on
// as usage records, or is kept aside with its fault.
//
// It owns the shapes that feeds send (CONTRACT §3) and where a record ends in a
// stream of bytes; what a record may hold is billing's. It refuses to judge: an
// account that does not exist is the worker's affair, a line that cannot be read
// is nobody else's. Its one invariant is that nothing vanishes: every line that
// is not blank comes out of [Read] once, as a record or as a dead letter with
// its number and fault, or the reading ends with an error that says where.
//
// Memory stays flat, whatever a file holds: one line, element or row of at most
// 1 MiB is looked at as a whole, and of a longer one the beginning is kept.
//
// # Formats
//
// NDJSON is one record a line. A JSON array of records is read too, and so are
// the CloudEvents among either; a single CloudEvent may span lines. CSV has a
// header. All may be compressed by gzip or zstd, told by their first bytes and
// not by their name, and may begin with a byte order mark.
//
// # CSV
//
// RFC 4180 with a comma; rows end in LF or CRLF, blank lines are skipped, quoted
// cells may hold line breaks. The header is judged once: a column that is no
// field of a record stops the reading — unless Options.Map is given, for then
// the file is somebody else's table and its other columns are let be. A column
// by a field's own name is that field, if Map does not take it from another.
//
// Times in such tables often have no offset, which no record may have (SPEC
// R2.4). Options.Zone says what they mean: local time there, with a blank for the
// T if need be. A time that the zone skips or has twice is a dead letter.
package feed
