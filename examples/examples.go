// Package examples holds real usage to run on, for the demo: files of this folder
// as they are, and what the right answer to them is. Where they come from stands
// in its README.md.
package examples

import _ "embed"

// Trace is usage records, NDJSON packed by gzip: the tokens of requests to a
// language model.
//
//go:embed llm-trace.ndjson.gz
var Trace []byte

// TraceSetup is the set-up file for Trace.
//
//go:embed llm-trace.setup.json
var TraceSetup []byte

// What rating Trace comes to.
const (
	TraceRecords = 17_638
	TraceTotal   = "57.868362" // USD, of all charges
)
