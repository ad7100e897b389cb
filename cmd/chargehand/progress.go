package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// unit is what a progress counts.
type unit string

// The units.
const (
	bytesUnit   unit = "bytes"
	recordsUnit unit = "records"
)

// progress tells on standard error how far long work is: by a bar on a terminal,
// elsewhere by a line every ten seconds. With --json it is silent.
type progress struct {
	to   io.Writer
	what string
	unit unit
	bar  *progressbar.ProgressBar // nil: no terminal
	now  func() time.Time
	next time.Time // of the next line
	done int64
	all  int64 // below zero: not known
	mute bool
}

// lineEvery is how often progress that cannot draw a bar says where it is.
const lineEvery = 10 * time.Second

// progress begins to tell of work of this size, below zero where it is not known.
func (s *session) progress(what string, size int64, u unit) *progress {
	p := &progress{to: s.stderr, what: what, unit: u, now: s.now, next: s.now().Add(lineEvery), all: size, mute: s.json}
	if !s.json && isTerminal(s.stderr) {
		p.bar = progressbar.NewOptions64(size,
			progressbar.OptionSetWriter(s.stderr),
			progressbar.OptionSetDescription(what),
			progressbar.OptionShowBytes(u == bytesUnit),
			progressbar.OptionSetItsString(string(u)),
			progressbar.OptionShowCount(),
			progressbar.OptionShowIts(),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionFullWidth(),
			progressbar.OptionClearOnFinish())
	}
	return p
}

// isTerminal tells whether a person watches what is written to w.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// set says how much is done. What a terminal does with it is not looked at: the
// work matters, not the drawing.
func (p *progress) set(done int64) {
	p.done = done
	switch {
	case p.bar != nil:
		_ = p.bar.Set64(done)
	case !p.mute && p.now().After(p.next):
		p.next = p.now().Add(lineEvery)
		of := ""
		if p.all > 0 {
			of = fmt.Sprintf(" (%d %% of %s)", 100*done/p.all, grouped(p.all))
		}
		fmt.Fprintf(p.to, "%s: %s %s%s\n", p.what, grouped(done), p.unit, of)
	}
}

// total says how much there is to do, once that is known.
func (p *progress) total(all int64) {
	if p.all == all || all <= 0 {
		return
	}
	p.all = all
	if p.bar != nil {
		p.bar.ChangeMax64(all)
	}
}

// aside writes a line that is to stay, above the bar.
func (p *progress) aside(format string, args ...any) {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
	fmt.Fprintf(p.to, format+"\n", args...)
}

// end takes the bar away.
func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}

// reader counts what is read through it, where bytes are counted.
func (p *progress) reader(r io.Reader) io.Reader {
	if p.unit != bytesUnit {
		return r
	}
	return &counted{r, p}
}

// stepRecords is how many records one look at the clock is for.
const stepRecords = 1000

// step says that one more record is done, where records are counted.
func (p *progress) step() {
	if p.unit != recordsUnit {
		return
	}
	if p.done++; p.done%stepRecords == 0 {
		p.set(p.done)
	}
}

type counted struct {
	io.Reader
	progress *progress
}

// Read reads and counts.
func (c *counted) Read(to []byte) (int, error) {
	n, err := c.Reader.Read(to)
	c.progress.set(c.progress.done + int64(n))
	return n, err
}
