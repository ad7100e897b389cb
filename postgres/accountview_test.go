package postgres

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chargehand/chargehand/billing"
	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"
)

// numbers are those of the accounts that a filter chooses.
func (s *Store) numbers(t *testing.T, f AccountFilter) string {
	t.Helper()
	var all []string
	if err := s.Accounts(t.Context(), f, march, func(v *AccountView) error {
		all = append(all, v.Number)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, " ")
}

func TestNearItsThresholdIsWhoUsedSoMuchOfIt(t *testing.T) {
	for _, c := range []struct {
		name, class string
		threshold   string // empty: the class's, 100
		balance     string
		percent     string
		want        bool
	}{
		{"three quarters", "std", "200", "-150", "75", true},
		{"a millionth less", "std", "200", "-149.999999", "75", false},
		{"of the class's", "std", "", "-75", "75", true},
		{"a millionth less of the class's", "std", "", "-74.999999", "75", false},
		{"a percentage with a fraction", "std", "0.000003", "-0.000001", "33.333333", true},
		{"a millionth more of it", "std", "0.000003", "-0.000001", "33.333334", false},
		{"past all of it", "std", "200", "-200.000001", "100", true},
		{"no debt, of which none is asked", "std", "200", "0", "0", true},
		{"in credit", "std", "200", "0.000001", "0", false},
		{"where nothing is tolerated nothing is near", "std", "0", "-1", "75", false},
		{"postpay", "corp", "200", "-200", "75", false},
	} {
		s := newStore(t, village)
		s.do(t, fmt.Sprintf(`update accounts set class = '%s', threshold = nullif('%s', '')::numeric where number = 'A'`, c.class, c.threshold))
		s.do(t, fmt.Sprintf(`update account_states set balance = %s, negative_since = case when %[1]s < 0 then now() end where account = 'A'`, c.balance))
		percent := decimal.RequireFromString(c.percent)
		got := strings.Contains(s.numbers(t, AccountFilter{NearThreshold: &percent}), "A")
		if got != c.want {
			t.Errorf("%s: got %t, want %t", c.name, got, c.want)
		}
	}
}

// Whoever is deleted is never held, and is listed only where that is asked for.
func TestDeletedAccountsAreNotNearTheirThreshold(t *testing.T) {
	s := newStore(t, village)
	s.do(t, `update account_states set balance = -90, negative_since = now() where account = 'A'`)
	if _, err := s.SetStatus(t.Context(), StatusRequest{Account: "A", Action: DeleteAccount, Note: "n", At: march, Actor: "test"}); err != nil {
		t.Fatal(err)
	}
	percent, deleted := decimal.NewFromInt(80), billing.Deleted
	for _, c := range []struct {
		f    AccountFilter
		want string
	}{
		{AccountFilter{NearThreshold: &percent}, ""},
		{AccountFilter{NearThreshold: &percent, Status: &deleted}, "A"},
		{AccountFilter{Status: &deleted}, "A"},
		{AccountFilter{}, "A B"},
	} {
		if got := s.numbers(t, c.f); got != c.want {
			t.Errorf("%+v: got %q, want %q", c.f, got, c.want)
		}
	}
}

// A page of accounts reads what is on it and before it, whatever number of others
// there is.
func TestAPageOfAccountsReadsLittle(t *testing.T) {
	const accounts, page, debtors, held = 20_000, 50, 200, 100
	s := openTest(t)
	fill(t, s, accounts)
	for _, sql := range []string{
		`update account_states set balance = 5, negative_since = null where right(account, 2) <> '00' and @held::integer > 0`,
		`update account_states set status = 2, status_reason = 1, inactive_since = now() where account like 'F1__77' or account = 'F77' and @held > 0`,
		`analyze`,
	} {
		if _, err := s.pool.Exec(t.Context(), sql, pgx.NamedArgs{"held": held}); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	near, far, hold, deleted := decimal.NewFromInt(80), decimal.NewFromInt(200), billing.CreditHold, billing.Deleted
	for _, c := range []struct {
		name string
		f    AccountFilter
		most int // rows that may be met: of each account two, and classes
	}{
		{"the first", AccountFilter{}, 2 * page},
		{"some in the middle", AccountFilter{After: "F5"}, 2 * page},
		{"near their threshold", AccountFilter{NearThreshold: &near}, 2 * page},
		{"near it, where nobody is", AccountFilter{NearThreshold: &far}, 2 * debtors},
		{"on hold", AccountFilter{Status: &hold}, 2 * page},
		{"deleted, where nobody is", AccountFilter{Status: &deleted}, 0},
		{"on hold and near it", AccountFilter{Status: &hold, NearThreshold: &near}, 2 * held},
	} {
		rows, indexes := explain(t, s, accountViews, c.f.args(nil, page))
		if rows > c.most+page {
			t.Errorf("%s: a page reads %d rows through %v, want at most %d", c.name, rows, indexes, c.most+page)
		}
	}
}
