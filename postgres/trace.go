package postgres

import (
	"encoding/binary"
	"fmt"

	"github.com/chargehand/chargehand/billing"
)

// Trace is what a judgement saw that nothing else stored tells: with the record,
// its price and the version of limits it rebuilds the explanation exactly
// (SPEC R3.6, R4.5), in some 10 to 60 bytes where the text would take 2,000.
type Trace struct {
	// Limits is the version of limits that was judged by, 0 for none;
	// AllAccounts says whether it is one of the limits of all accounts.
	Limits      int32
	AllAccounts bool
	// Before is the counter that an accumulating price counted from.
	Before billing.Fixed
	// Used is what was used of each ceiling, in the order of limits.Rules; nil
	// where no ceiling was looked at.
	Used []billing.Fixed
	// Judged says that ceilings were looked at.
	Judged bool
	// Figure is what a posting moves, balance or current debt, before it.
	Figure    billing.Money
	HasFigure bool
	// Rest is what of a credit's original was not yet credited: quantity and
	// money.
	Rest       billing.Fixed
	RestAmount billing.Money
	HasRest    bool
}

// The flags in the first byte of a trace.
const (
	traceAllAccounts = 1 << iota
	traceJudged
	traceFigure
	traceBefore
	traceRest
)

// AppendBinary appends the stored form: flags, then what they say is there.
func (t *Trace) AppendBinary(b []byte) []byte {
	at := len(b)
	b = append(b, 0)
	flag := func(f byte, on bool) bool {
		if on {
			b[at] |= f
		}
		return on
	}
	flag(traceAllAccounts, t.AllAccounts)
	if flag(traceFigure, t.HasFigure) {
		b = t.Figure.Fixed().AppendBinary(b)
	}
	if flag(traceBefore, !t.Before.IsZero()) {
		b = t.Before.AppendBinary(b)
	}
	if flag(traceRest, t.HasRest) {
		b = t.RestAmount.Fixed().AppendBinary(t.Rest.AppendBinary(b))
	}
	if flag(traceJudged, t.Judged) {
		b = binary.AppendUvarint(b, uint64(t.Limits))
		b = binary.AppendUvarint(b, uint64(len(t.Used)))
		for _, u := range t.Used {
			b = u.AppendBinary(b)
		}
	}
	return b
}

// ReadTrace reads what AppendBinary wrote.
func ReadTrace(b []byte) (t Trace, err error) {
	if len(b) == 0 {
		return t, nil
	}
	r := traceReader{rest: b[1:]}
	flags := b[0]
	t.AllAccounts, t.Judged = flags&traceAllAccounts != 0, flags&traceJudged != 0
	t.HasFigure, t.HasRest = flags&traceFigure != 0, flags&traceRest != 0
	if t.HasFigure {
		t.Figure = r.money()
	}
	if flags&traceBefore != 0 {
		t.Before = r.fixed()
	}
	if t.HasRest {
		t.Rest, t.RestAmount = r.fixed(), r.money()
	}
	if t.Judged {
		t.Limits = int32(r.uvarint())
		for range min(r.uvarint(), uint64(len(b))) {
			t.Used = append(t.Used, r.fixed())
		}
	}
	if r.err != nil {
		return t, fmt.Errorf("read a trace: %w", r.err)
	}
	return t, nil
}

// traceReader takes values off a trace and remembers the first fault.
type traceReader struct {
	rest []byte
	err  error
}

func (r *traceReader) fixed() billing.Fixed {
	f, rest, err := billing.ReadFixed(r.rest)
	if err != nil {
		r.err, rest = err, nil
	}
	r.rest = rest
	return f
}

func (r *traceReader) money() billing.Money {
	m, _ := billing.Round(r.fixed().Decimal(), 6) // it was money when it was written
	return m
}

func (r *traceReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.err, r.rest = billing.ErrTruncated, nil
		return 0
	}
	r.rest = r.rest[n:]
	return v
}
