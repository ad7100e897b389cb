package billing_test

import (
	"encoding"
	"fmt"
	"strings"
	"testing"

	"github.com/chargehand/chargehand/billing"
	"github.com/google/go-cmp/cmp"
)

// holdWords says that a closed set has these words, numbered from first, and no
// others: what is stored and what users script against.
func holdWords[T interface {
	~uint8
	fmt.Stringer
	encoding.TextMarshaler
}, P interface {
	*T
	encoding.TextUnmarshaler
}](t *testing.T, first T, words ...string) {
	t.Helper()
	for i, word := range words {
		v := first + T(i)
		if v.String() != word {
			t.Errorf("%T %d: got %s, want %s", v, v, v, word)
		}
		text, err := v.MarshalText()
		if err != nil || string(text) != word {
			t.Errorf("%T %d: got %s, %v, want %s", v, v, text, err, word)
		}
		var again T
		if err := P(&again).UnmarshalText(text); err != nil || again != v {
			t.Errorf("%T %s: got %d, %v, want %d", v, word, again, err, v)
		}
	}
	for _, text := range []string{"", " ", "none", words[0] + " ", strings.ToUpper(words[0]), words[0] + ", " + words[1], strings.Repeat("x", 1<<20)} {
		var v T
		err := P(&v).UnmarshalText([]byte(text))
		if want := "not one of " + strings.Join(words, ", "); err == nil || !strings.HasSuffix(err.Error(), want) || len(err.Error()) > 100+len(want) {
			t.Errorf("%T %.20q: got %.300v, want %s", v, text, err, want)
		}
	}
}

func TestWords(t *testing.T) {
	holdWords(t, billing.Charge, "charge", "credit", "no_charge")
	holdWords(t, billing.Rated, "rated", "rejected", "cancelled")
	holdWords(t, billing.Usage, "usage", "amount")
	holdWords(t, billing.OfService, "service", "type", "family", "account")
	holdWords(t, billing.Transaction, "transaction", "day", "month")
	holdWords(t, billing.Prepay, "prepay", "postpay")
	holdWords(t, billing.Active, "active", "administrative_hold", "credit_hold", "deleted")
	holdWords(t, billing.ByThreshold, "threshold", "subzero", "manager")
	holdWords(t, billing.UsagePosting, "usage", "periodic", "payment", "adjustment", "reversal")
	holdWords(t, billing.AccountNotFound, reasons...)
}

// reasons is SPEC R5.2, in the order of the numbers that are stored.
var reasons = []string{
	"account_not_found", "account_deleted", "account_administrative_hold", "account_credit_hold",
	"service_not_found", "service_not_linked", "too_late", "in_future", "no_price", "currency_mismatch", "out_of_range", "service_not_included",
	"limit_transaction_usage", "limit_transaction_amount", "limit_day_usage", "limit_day_amount", "limit_month_usage", "limit_month_amount",
	"insufficient_funds", "subscription_credit_limit", "original_not_found", "credit_exceeds_original",
}

func TestReasonsAreAllThatThereAre(t *testing.T) {
	if diff := cmp.Diff(billing.Reasons(), reasons); diff != "" {
		t.Errorf("got -, want +:\n%s", diff)
	}
	if last := billing.CreditExceedsOriginal; int(last) != len(reasons) {
		t.Errorf("got %d as the last one, want %d", last, len(reasons))
	}
	billing.Reasons()[0] = "changed by a caller"
	if got := billing.AccountNotFound.String(); got != "account_not_found" {
		t.Errorf("after a caller changed his list: got %s", got)
	}
}

func TestNothingYetIsNoWord(t *testing.T) {
	for _, v := range []fmt.Stringer{billing.Outcome(0), billing.Reason(0), billing.StatusReason(0), billing.PostingKind(0)} {
		if v.String() != "" {
			t.Errorf("%T: got %s, want nothing", v, v)
		}
	}
}

func TestLimitReasonNamesWindowAndMetric(t *testing.T) {
	for _, w := range []billing.WindowKind{billing.Transaction, billing.Day, billing.Month} {
		for _, m := range []billing.Metric{billing.Usage, billing.Amount} {
			if got, want := billing.LimitReason(w, m).String(), fmt.Sprintf("limit_%s_%s", w, m); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
	}
}
