package feed

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/chargehand/chargehand/billing"
)

// columns says for each column of a CSV file which fields its cells are: none,
// one, or several where Options.Map takes several from it.
type columns [][]billing.RecordField

// table reads one record from each row behind the header.
func (d *decoder) table(in *bufio.Reader) error {
	rows := newRows(in)
	header, err := rows.next()
	if errors.Is(err, io.EOF) {
		return nil // nothing at all holds no records, in any format
	}
	if err != nil {
		return err
	}
	if header.fault != nil {
		return atLine(header.number, fmt.Errorf("read the header: %w", header.fault))
	}
	columns, err := d.opts.columns(header.cells)
	if err != nil {
		return atLine(header.number, err)
	}
	for {
		row, err := rows.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		line := Line{Number: row.number, Fault: row.fault}
		if line.Fault == nil {
			line.Record, line.Fault = d.row(columns, row.cells)
		}
		if line.Fault != nil {
			line.Raw = clone(row.raw)
		}
		if !d.yield(line, nil) {
			return errStopped
		}
	}
}

// row reads a record from the cells of a row; an empty cell is absent.
func (d *decoder) row(c columns, cells [][]byte) (billing.UsageRecord, error) {
	if len(cells) != len(c) {
		return billing.UsageRecord{}, fmt.Errorf("a row of %d cells under a header of %d", len(cells), len(c))
	}
	draft := d.records.Draft()
	for i, cell := range cells {
		if len(cell) == 0 {
			continue
		}
		for _, k := range c[i] {
			text := cell
			if k == billing.OccurredAtField && d.opts.Zone != nil {
				var err error
				if text, err = withOffset(cell, d.opts.Zone); err != nil {
					return billing.UsageRecord{}, fmt.Errorf("%s: %w", k, err)
				}
			}
			if err := draft.SetText(k, text); err != nil {
				return billing.UsageRecord{}, err
			}
		}
	}
	return d.finish(&draft)
}

// columns holds a header against the fields of a record and what Options say.
func (o *Options) columns(header [][]byte) (columns, error) {
	names := make([]string, len(header))
	for i, cell := range header {
		names[i] = string(cell)
		if slices.Contains(names[:i], names[i]) {
			return nil, fmt.Errorf("column %.40q stands twice in the header", names[i])
		}
	}
	found := make(columns, len(header))
	var missing []string
	for i, field := range billing.RecordFields() {
		k := billing.RecordField(i)
		name, mapped := o.Map[k]
		if !mapped {
			name = field
		}
		at := slices.Index(names, name)
		switch _, set := o.Set[k]; {
		case at >= 0:
			found[at] = append(found[at], k)
		case mapped:
			return nil, fmt.Errorf("map %s to %.40q: no such column, only %s", field, name, list(names))
		case !set && k <= billing.OccurredAtField:
			missing = append(missing, field)
		}
	}
	if i := slices.IndexFunc(found, func(k []billing.RecordField) bool { return len(k) == 0 }); i >= 0 && len(o.Map) == 0 {
		return nil, fmt.Errorf("column %.40q is no field of a usage record (%s): map the columns or take it out",
			names[i], list(billing.RecordFields()))
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("no column gives %s: map one to it or set it; there are %s", list(missing), list(names))
	}
	return found, nil
}

// list names some words, cut so that a wide header stays one line.
func list(words []string) string {
	const most = 60
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			b.WriteString(", ")
		}
		if i == most {
			fmt.Fprintf(&b, "… (%d)", len(words))
			break
		}
		fmt.Fprintf(&b, "%.40q", w)
	}
	return b.String()
}
