// Package arch holds the map of the house as a test: which package may import
// which, ours and other people's. It has no code of its own.
//
// Whoever needs another arrow changes the table and says in the commit why; the
// house has no package that is not on it.
package arch
