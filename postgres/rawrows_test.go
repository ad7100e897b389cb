package postgres

import (
	"errors"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"
)

// What COPY writes in its binary form is what rows are read in.
func TestNumericsAreReadAsTheyWereWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := billing.FixedOfMagnitude(rapid.Bool().Draw(t, "negative"),
			rapid.Uint64Range(0, 1<<61).Draw(t, "high"), rapid.Uint64().Draw(t, "low"))
		var c copyRows
		c.numeric(want)
		row := rawRow{values: [][]byte{c.b[4:]}}
		if got := row.numeric(); got != want || row.err != nil {
			t.Fatalf("got %s (%v), want %s", got, row.err, want)
		}
	})
}

func TestNumericsOfTheDatabaseAreRead(t *testing.T) {
	s := newStore(t, "families: []")
	for _, text := range []string{
		"0", "1", "-1", "10000", "100000000", "0.0001", "0.00001234", "-0.000000000001", "12.5", "1234567.89",
		"999999999999.999999999999", "-999999999999.999999", "99999999999999999999999999",
	} {
		for _, scaled := range []string{text, text + "::numeric(38, 12)"} {
			found, err := queryRaw(t.Context(), s.pool, `select (`+scaled+`)::numeric`, pgx.NamedArgs{}, nil,
				func(row *rawRow, f *billing.Fixed) { *f = row.numeric() })
			if err != nil {
				t.Errorf("%s: %v", scaled, err)
				continue
			}
			if got := found[0].String(); got != text {
				t.Errorf("%s: got %s, want %s", scaled, got, text)
			}
		}
	}
	for _, text := range []string{"'NaN'::numeric", "'Infinity'::numeric", "1e-13", "1e30", "1e200"} {
		_, err := queryRaw(t.Context(), s.pool, `select (`+text+`)::numeric`, pgx.NamedArgs{}, nil,
			func(row *rawRow, f *billing.Fixed) { *f = row.numeric() })
		if err == nil {
			t.Errorf("%s: got no error, want one: no Fixed holds it", text)
		}
	}
}

func TestRowsKeepTheirValues(t *testing.T) {
	s := newStore(t, "families: []")
	const query = `select 'é'::text, null::text, -7::smallint, 70000::integer, -(2^40)::bigint, true, date '1969-12-31',
		timestamptz '2025-01-02 03:04:05.678901+00', null::timestamptz, timestamptz '0001-01-01 00:00:00+00',
		-12.5::numeric, null::numeric, '{"a": 1}'::json`
	found, err := queryRaw(t.Context(), s.pool, query, pgx.NamedArgs{}, nil, func(row *rawRow, all *[]any) {
		*all = append(*all, row.text(), row.isNull(), row.text(), row.int16(), row.int32(), row.int64(), row.bool(), row.date(),
			row.time(), row.time(), row.time(), *row.moneyOrNil(), row.moneyOrNil() == nil, row.text())
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []any{"é", true, "", -7, int32(70000), int64(-1 << 40), true, billing.Date(-1),
		time.Date(2025, 1, 2, 3, 4, 5, 678901000, time.UTC), time.Time{}, time.Time{}, billing.Money(-12_500_000), true, `{"a": 1}`}
	for i := range want {
		if got := found[0][i]; got != want[i] {
			t.Errorf("value %d: got %v, want %v", i, got, want[i])
		}
	}
}

func TestARowOfOtherColumnsIsAFault(t *testing.T) {
	s := newStore(t, "families: []")
	for query, scan := range map[string]func(*rawRow, *int64){
		`select 1::smallint`:         func(row *rawRow, n *int64) { *n = row.int64() },
		`select 1::bigint`:           func(row *rawRow, n *int64) { *n = row.int64() + row.int64() },
		`select '\x01'::bytea`:       func(row *rawRow, _ *int64) { row.numeric() },
		`select 'abc'::text`:         func(row *rawRow, _ *int64) { row.uuid() },
		`select 0.0000001::numeric`:  func(row *rawRow, _ *int64) { row.money() },
		`select 1000000000000000000`: func(row *rawRow, _ *int64) { row.time(); row.skip(1) },
	} {
		if _, err := queryRaw(t.Context(), s.pool, query, pgx.NamedArgs{}, nil, scan); err == nil {
			t.Errorf("%s: got no error, want one", query)
		}
	}
}

func TestACursorReadsPageByPage(t *testing.T) {
	s := newStore(t, "families: []")
	for _, rows := range []int64{0, 1, fetchRows - 1, fetchRows, fetchRows + 1, 3 * fetchRows} {
		pages, read := 0, int64(0)
		err := s.view(t.Context(), func(tx pgx.Tx) error {
			c, err := openCursor(t.Context(), tx, "numbers", `select n from generate_series(1, @rows::bigint) n`, pgx.NamedArgs{"rows": rows},
				func(row *rawRow, n *int64) { *n = row.int64() })
			if err != nil {
				return err
			}
			for {
				n, err := c.next(t.Context())
				if n == nil || err != nil {
					return err
				}
				if read++; *n != read {
					return errors.New("not in order")
				}
				if c.at == 1 {
					pages++
				}
			}
		})
		if want := int((rows + fetchRows - 1) / fetchRows); err != nil || read != rows || pages != want {
			t.Errorf("%d rows: got %d in %d pages (%v), want %d pages", rows, read, pages, err, want)
		}
	}
}
