package postgres

import (
	"fmt"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/jackc/pgx/v5"
)

// Account is an account as it stands: what judging needs of it. Whoever judges
// works on it in place and writes it back under its Version.
type Account struct {
	Number, Class, Currency string
	Calendar                billing.Calendar
	Threshold, CreditLimit  *billing.Money // own; nil: the class's
	Services                map[string]bool
	LimitsVersion           int32
	Limits                  *limits.Limits // nil: none
	Version                 int64
	LastSeq                 int64
	billing.Funds
	billing.Standing
	Counters billing.Counters
}

// NextSeq takes the place of the account's next line: rising for ever, and near
// at, the microsecond at which the line was written, so that lines of several
// accounts fall into the order in which they came.
func (a *Account) NextSeq(at int64) int64 {
	a.LastSeq = max(a.LastSeq+1, at)
	return a.LastSeq
}

// accountsFor reads the states of accounts that are not of the version which the
// caller has. Where no versions are given it reads all of them.
const accountsFor = `
	select a.number, a.class, a.currency, a.time_zone, a.cycle_day,
	       (a.threshold * 1000000)::bigint, (a.credit_limit * 1000000)::bigint, a.services,
	       a.limits_version, l.body::text,
	       s.version, s.last_seq, s.status, s.status_reason, s.inactive_since,
	       (s.balance * 1000000)::bigint, (s.current_debt * 1000000)::bigint, s.negative_since, s.counters
	from   unnest(@numbers::text[], @versions::bigint[]) as n (number, version)
	join   accounts       a on a.number  = n.number
	join   account_states s on s.account = a.number
	left join limits      l on l.account = a.number and l.version = a.limits_version
	where  s.version is distinct from n.version`

func (a *Answer) readAccounts(rows pgx.Rows) error {
	for rows.Next() {
		account, err := scanAccount(rows)
		if err != nil {
			return err
		}
		a.Accounts[account.Number] = account
	}
	return rows.Err()
}

func scanAccount(row pgx.Row) (*Account, error) {
	var (
		a                       Account
		zone                    string
		threshold, creditLimit  *int64
		services                []string
		body                    *string
		inactive, negativeSince *time.Time
		balance, debt           int64
		counters                []byte
	)
	err := row.Scan(&a.Number, &a.Class, &a.Currency, &zone, &a.Calendar.CycleDay, &threshold, &creditLimit, &services,
		&a.LimitsVersion, &body, &a.Version, &a.LastSeq, &a.Status, &a.Reason, &inactive,
		&balance, &debt, &negativeSince, &counters)
	if err != nil {
		return nil, err
	}
	a.Threshold, a.CreditLimit = moneyOrNil(threshold), moneyOrNil(creditLimit)
	a.Balance, a.CurrentDebt = billing.Money(balance), billing.Money(debt)
	a.InactiveSince, a.NegativeSince = timeOrZero(inactive), timeOrZero(negativeSince)
	a.Services = make(map[string]bool, len(services))
	for _, s := range services {
		a.Services[s] = true
	}
	if a.Calendar.Zone, err = billing.LoadZone(zone); err != nil {
		return nil, fmt.Errorf("account %s: %w: %w", a.Number, ErrDamaged, err)
	}
	if a.Counters, err = billing.ReadCounters(counters); err != nil {
		return nil, fmt.Errorf("account %s: %w: %w", a.Number, ErrDamaged, err)
	}
	if body != nil {
		if a.Limits, err = openLimits(*body); err != nil {
			return nil, fmt.Errorf("limits of account %s: %w: %w", a.Number, ErrDamaged, err)
		}
	}
	return &a, nil
}

func moneyOrNil(units *int64) *billing.Money {
	if units == nil {
		return nil
	}
	m := billing.Money(*units)
	return &m
}

func timeOrZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// nullTime is t for the database: null where it is zero.
func nullTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
