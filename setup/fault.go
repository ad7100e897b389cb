package setup

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Fault is one thing that is wrong with a file, and where.
type Fault struct {
	File    string
	Line    int    // from 1; 0 where unknown
	Path    string // like prices[0].per_unit; empty for the file as a whole
	Pointer string // the same as a JSON pointer
	What    string // what is wrong, which value, what to do
}

// Error is "file:line: path: what".
func (f Fault) Error() string {
	var b strings.Builder
	if f.File != "" {
		b.WriteString(f.File)
		if f.Line > 0 {
			fmt.Fprintf(&b, ":%d", f.Line)
		}
		b.WriteString(": ")
	}
	if f.Path != "" {
		b.WriteString(f.Path + ": ")
	}
	return b.String() + f.What
}

// Faults is all that is wrong with a file, a line each, in the file's order.
type Faults []Fault

// faultsMax is how many faults are told: who has more has one mistake many times.
const faultsMax = 20

// faultsCounted is how many are counted: with more, the rest is not read. Who sends
// a million objects of nothing shall not have each of them judged.
const faultsCounted = 1000

// Error is the faults, a line each.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.Error()
	}
	return strings.Join(lines, "\n")
}

// faultList keeps the first faults and counts them all.
type faultList struct {
	kept Faults
	all  int
}

func (l *faultList) add(f Fault) {
	if l.all++; l.all <= faultsMax {
		l.kept = append(l.kept, f)
	}
}

func (l *faultList) count() int { return l.all }
func (l *faultList) none() bool { return l.all == 0 }
func (l *faultList) full() bool { return l.all >= faultsCounted }

// err is what was found, in the file's order, or nil.
func (l *faultList) err(file string) error {
	if l.none() {
		return nil
	}
	slices.SortStableFunc(l.kept, func(a, b Fault) int {
		return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line)
	})
	switch more := l.all - len(l.kept); {
	case l.full():
		l.kept = append(l.kept, Fault{File: file, What: fmt.Sprintf("and %d faults more, with which reading ended: mend these first", more)})
	case more > 0:
		l.kept = append(l.kept, Fault{File: file, What: fmt.Sprintf("and %d faults more: mend these first", more)})
	}
	return l.kept
}

// apart is the errors that errors.Join put together, however deep.
func apart(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		if err == nil {
			return nil
		}
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, apart(e)...)
	}
	return all
}

// textMax bounds every name, code, key and number in bytes (SPEC R5.3).
const textMax = 256

// checkText refuses what cannot name anything: nothing, too much, a NUL.
func checkText(text string) error {
	switch {
	case text == "":
		return errors.New("empty: give at least one character")
	case len(text) > textMax:
		return fmt.Errorf("%q: %d bytes, at most %d are taken", clip(text), len(text), textMax)
	case strings.ContainsRune(text, 0):
		return fmt.Errorf("%q: holds a NUL", clip(text))
	case !utf8.ValidString(text):
		return fmt.Errorf("%q: not UTF-8", clip(text))
	}
	return nil
}

// clip cuts text for an error, so that one fault stays one line.
func clip(text string) string {
	if len(text) <= 40 {
		return text
	}
	return strings.ToValidUTF8(text[:40], "") + "…"
}
