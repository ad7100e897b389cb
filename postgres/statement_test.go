package postgres

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// keepLines gives both accounts of the village a few of everything that a
// statement has.
func (s *Store) keepLines(t *testing.T) {
	t.Helper()
	s.keepVillage(t)
	s.do(t, `
		insert into entries (account, seq, at, kind, amount, balance_after, description, key, source, record, periodic, actor) values
		('A', 25, '2025-06-01 00:00:25+00', 3, 7.5, 11.5, 'cash', 'k1', null, null, null, 'jane'),
		('A', 50, '2025-06-01 00:00:50+00', 2, -5, 1, 'Fleet card', null, null, null, 'card', 'scheduler'),
		('A', 60, '2025-06-01 00:01:00+00', 5, 2, 3, 'a mistake', null, 'f', '9', null, 'jane'),
		('B', 30, '2025-06-01 00:00:30+00', 4, -1, 7, 'a fine', 'k2', null, null, null, 'jane')`, `
		insert into judgements (account, source, id, seq, outcome, reason, charge, price, band, placement, trace, rated_at, ended_at,
		                        ended_seq, actor, note)
		select account, source, id, 5, 1, 0, 1, 1, -1, 1, trace, timestamptz '2025-06-01 00:00:05+00', now(), 6, 'jane', 'wrong'
		from   records where account = 'A' and source = 'f' and id = '2'`, `
		insert into status_history (account, seq, at, from_status, to_status, status_reason, note, balance, threshold, actor) values
		('A', 70, '2025-06-01 00:01:10+00', 0, 2, 1, '', -101, 100, 'worker'),
		('A', 80, '2025-06-01 00:01:20+00', 2, 0, 0, 'paid', 0, 100, 'jane')`)
}

func TestAStatementHasEveryPostingInOrder(t *testing.T) {
	s := newStore(t, village)
	s.keepLines(t)
	for _, c := range []struct {
		name, account string
		Span
		want []string
	}{
		{"prepay", "A", Span{}, []string{
			`{"at":"2025-06-01T00:00:05Z","kind":"usage","amount":"-1","balance_after":"5","description":"s","record":"f/2"}`,
			`{"at":"2025-06-01T00:00:10Z","kind":"usage","amount":"-4","balance_after":"6","description":"s","record":"f/1"}`,
			`{"at":"2025-06-01T00:00:20Z","kind":"usage","amount":"-2","balance_after":"4","description":"s","record":"f/2"}`,
			`{"at":"2025-06-01T00:00:25Z","kind":"payment","amount":"7.5","balance_after":"11.5","description":"cash","key":"k1"}`,
			`{"at":"2025-06-01T00:00:40Z","kind":"usage","amount":"2","balance_after":"6","description":"s, credit of 1","record":"f/c"}`,
			`{"at":"2025-06-01T00:00:50Z","kind":"periodic","amount":"-5","balance_after":"1","description":"Fleet card","periodic":"card"}`,
			`{"at":"2025-06-01T00:01:00Z","kind":"reversal","amount":"2","balance_after":"3","description":"a mistake","record":"f/9"}`,
		}},
		{"postpay: a charge raises the debt", "B", Span{}, []string{
			`{"at":"2025-06-01T00:00:20Z","kind":"usage","amount":"-6","balance_after":"6","description":"s","record":"f/1"}`,
			`{"at":"2025-06-01T00:00:30Z","kind":"adjustment","amount":"-1","balance_after":"7","description":"a fine","key":"k2"}`,
		}},
		{"between two instants", "A", Span{From: at("2025-06-01T00:00:20Z"), To: at("2025-06-01T00:00:40Z")}, []string{
			`{"at":"2025-06-01T00:00:20Z","kind":"usage","amount":"-2","balance_after":"4","description":"s","record":"f/2"}`,
			`{"at":"2025-06-01T00:00:25Z","kind":"payment","amount":"7.5","balance_after":"11.5","description":"cash","key":"k1"}`,
		}},
		{"before all", "A", Span{To: at("2025-06-01T00:00:05Z")}, nil},
		{"two after a place", "A", Span{After: 20, Most: 2}, []string{
			`{"at":"2025-06-01T00:00:25Z","kind":"payment","amount":"7.5","balance_after":"11.5","description":"cash","key":"k1"}`,
			`{"at":"2025-06-01T00:00:40Z","kind":"usage","amount":"2","balance_after":"6","description":"s, credit of 1","record":"f/c"}`,
		}},
		{"after the last", "A", Span{After: 60}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []*StatementLine // kept until the end: each must stay as it was
			for l, err := range s.Statement(t.Context(), c.account, c.Span) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, l)
			}
			sameLines(t, got, c.want)
		})
	}
}

func TestAHistoryHasEveryChangeInOrder(t *testing.T) {
	s := newStore(t, village)
	s.keepLines(t)
	held := `{"at":"2025-06-01T00:01:10Z","from":"active","to":"credit_hold","status_reason":"threshold","note":"","balance":"-101","threshold":"100","actor":"worker"}`
	paid := `{"at":"2025-06-01T00:01:20Z","from":"credit_hold","to":"active","status_reason":null,"note":"paid","balance":"0","threshold":"100","actor":"jane"}`
	for _, c := range []struct {
		name, account string
		Span
		want []string
	}{
		{"all", "A", Span{}, []string{held, paid}},
		{"from an instant on", "A", Span{From: at("2025-06-01T00:01:20Z")}, []string{paid}},
		{"before an instant", "A", Span{To: at("2025-06-01T00:01:20Z")}, []string{held}},
		{"the first", "A", Span{Most: 1}, []string{held}},
		{"after a place", "A", Span{After: 70}, []string{paid}},
		{"none", "B", Span{}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []*HistoryLine
			for l, err := range s.History(t.Context(), c.account, c.Span) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, l)
			}
			sameLines(t, got, c.want)
		})
	}
}

func sameLines[T any](t *testing.T, got []T, want []string) {
	t.Helper()
	var lines []string
	for _, l := range got {
		text, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(text))
	}
	if g, w := strings.Join(lines, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
}

func TestAnAccountThatIsNotThereHasNoStatement(t *testing.T) {
	s := newStore(t, village)
	s.keepLines(t)
	for _, err := range s.Statement(t.Context(), "nobody", Span{}) {
		if !errors.Is(err, ErrNoAccount) {
			t.Errorf("statement: got %v, want %v", err, ErrNoAccount)
		}
	}
	for _, err := range s.History(t.Context(), "nobody", Span{}) {
		if !errors.Is(err, ErrNoAccount) {
			t.Errorf("history: got %v, want %v", err, ErrNoAccount)
		}
	}
}
