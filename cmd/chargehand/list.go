package main

import "iter"

// sequence is what a store lists: rows, and at the end perhaps an error.
type sequence[T any] = iter.Seq2[*T, error]

// eachOf hands a sequence's rows over one by one.
func eachOf[T any](rows sequence[T]) func(func(*T) error) error {
	return func(each func(*T) error) error {
		for row, err := range rows {
			if err != nil {
				return err
			}
			if err := each(row); err != nil {
				return err
			}
		}
		return nil
	}
}

// listed prints what read hands over: with --json a line of JSON each, else a
// table, in flat memory however long it is. Where there is nothing it says so.
func listed[T any](s *session, nothing string, titles []string, read func(func(*T) error) error, cells func(*T) []any) error {
	if s.json {
		return read(func(row *T) error { return s.printJSON(row) })
	}
	p := &page{to: s.stdout}
	t := p.table(titles...)
	err := read(func(row *T) error {
		t.row(cells(row)...)
		return p.err
	})
	if err != nil {
		return err
	}
	if t.empty() {
		p.line("%s", nothing)
	}
	t.end()
	return p.err
}
