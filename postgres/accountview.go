package postgres

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/chargehand/chargehand/setup"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"
)

// AccountView is an account as people read it; its JSON is CONTRACT §3's.
type AccountView struct {
	ID                   uuid.UUID               `json:"id"`
	Number               string                  `json:"number"`
	Customer             string                  `json:"customer"`
	Class                string                  `json:"class"`
	PaymentModel         billing.PaymentModel    `json:"payment_model"`
	Currency             string                  `json:"currency"`
	TimeZone             string                  `json:"time_zone"`
	CycleDay             int                     `json:"cycle_day"`
	Status               billing.Status          `json:"status"`
	StatusReason         *billing.StatusReason   `json:"status_reason"`
	Balance              billing.Money           `json:"balance"`
	CurrentDebt          billing.Money           `json:"current_debt"`
	UsableBalance        billing.Money           `json:"usable_balance"`
	ExitPayment          billing.Money           `json:"exit_payment"`
	NegativeSince        *time.Time              `json:"negative_since"`
	HoldAt               *time.Time              `json:"hold_at"`
	Threshold            billing.Money           `json:"financial_blocking_threshold"`
	ThresholdUseSystem   bool                    `json:"financial_blocking_threshold_use_system"`
	CreditLimit          billing.Money           `json:"subscription_credit_limit"`
	CreditLimitUseSystem bool                    `json:"subscription_credit_limit_use_system"`
	Services             []string                `json:"services"`
	Applications         []string                `json:"applications"`
	PeriodicServices     []setup.PeriodicService `json:"periodic_services"`
	CreatedAt            time.Time               `json:"created_at"`
	UpdatedAt            time.Time               `json:"updated_at"`

	Revision int64 `json:"-"` // see Revisions
}

const viewColumns = `
	a.id, a.number, a.customer, a.class, a.currency, a.time_zone, a.cycle_day, s.status, s.status_reason,
	s.inactive_since, (s.balance * 1000000)::bigint, (s.current_debt * 1000000)::bigint, s.negative_since,
	(a.threshold * 1000000)::bigint, (a.credit_limit * 1000000)::bigint, a.services, a.applications, a.created_at, a.updated_at,
	a.revision`

const accountView = `
	select ` + viewColumns + `
	from   accounts       a
	join   account_states s on s.account = a.number
	where  a.number = @number`

// Account reads one account as of now.
func (s *Store) Account(ctx context.Context, number string, now time.Time) (v *AccountView, err error) {
	err = pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		snap, err := readSnapshot(ctx, tx)
		if err != nil {
			return err
		}
		v, err = scanView(tx.QueryRow(ctx, accountView, pgx.NamedArgs{"number": number}), snap, now)
		if isNoRows(err) {
			return fmt.Errorf("account %s: %w", number, ErrNoAccount)
		}
		if err != nil {
			return fmt.Errorf("read account %s: %w", number, err)
		}
		return readPeriodic(ctx, tx, []*AccountView{v})
	})
	return v, err
}

// readPeriodic gives accounts their periodic services.
func readPeriodic(ctx context.Context, q querier, views []*AccountView) error {
	byNumber := make(map[string]*AccountView, len(views))
	for _, v := range views {
		byNumber[v.Number] = v
	}
	stored, err := periodicServices(ctx, q, slices.Collect(maps.Keys(byNumber))...)
	if err != nil {
		return fmt.Errorf("read periodic services: %w", err)
	}
	for i := range stored {
		if p := &stored[i]; !p.Ended {
			v := byNumber[p.Account]
			v.PeriodicServices = append(v.PeriodicServices, p.PeriodicService)
		}
	}
	return nil
}

func scanView(row pgx.Row, s *Snapshot, now time.Time) (*AccountView, error) {
	var (
		v                       = AccountView{PeriodicServices: []setup.PeriodicService{}}
		f                       billing.Funds
		st                      billing.Standing
		inactive, negativeSince *time.Time
		threshold, creditLimit  *int64
	)
	if err := row.Scan(&v.ID, &v.Number, &v.Customer, &v.Class, &v.Currency, &v.TimeZone, &v.CycleDay, &st.Status, &st.Reason,
		&inactive, &f.Balance, &f.CurrentDebt, &negativeSince, &threshold, &creditLimit, &v.Services, &v.Applications,
		&v.CreatedAt, &v.UpdatedAt, &v.Revision); err != nil {
		return nil, err
	}
	st.InactiveSince, f.NegativeSince = timeOrZero(inactive), timeOrZero(negativeSince)
	terms := limits.Effective(s.Classes[v.Class], moneyOrNil(threshold), moneyOrNil(creditLimit))
	v.PaymentModel, v.Status = terms.Model, st.Status
	if st.Reason != 0 {
		v.StatusReason = &st.Reason
	}
	v.Balance, v.CurrentDebt, v.UsableBalance = f.Balance, f.CurrentDebt, f.Balance // no reservations yet (SPEC R6.6)
	v.ExitPayment = terms.ExitPayment(f, st, now)
	v.NegativeSince = nullTime(f.NegativeSince)
	if at, will := terms.HoldAt(f, st); will {
		v.HoldAt = &at
	}
	v.Threshold, v.ThresholdUseSystem = terms.Threshold, threshold == nil
	v.CreditLimit, v.CreditLimitUseSystem = terms.CreditLimit, creditLimit == nil
	v.CreatedAt, v.UpdatedAt = v.CreatedAt.UTC(), v.UpdatedAt.UTC()
	return &v, nil
}

// AccountFilter chooses accounts; what is empty chooses all.
type AccountFilter struct {
	Customer string
	Status   *billing.Status
	// NearThreshold keeps prepay accounts whose debt is at least this percentage
	// of a threshold above zero. Deleted ones are never held: they are left out,
	// unless Status asks for them.
	NearThreshold *decimal.Decimal
	Within        Reach  // only those that belong within it
	After         string // only those of later numbers
	Most          int    // most of them
}

// The statement is planned anew for each page, with the values in it: what is not
// asked for falls away. It goes in one round trip, so that a pooler may lend the
// connection before and after. Accounts in debt, those in a status that is not active,
// those of a customer and of resellers have indexes of their own; who is near a
// threshold is looked for among those in debt only.
const accountViews = `
	select   ` + viewColumns + `
	from     accounts       a
	join     account_states s on s.account = a.number
	join     classes        c on c.key     = a.class
	where    a.number  > @after::text
	and      s.account > @after::text
	and      (@customer = '' or a.customer = @customer)
	and      (@status::smallint is null or s.status = @status)
	and      (@resellers::bigint[] is null or a.reseller = any(@resellers))
	and      (@percentage::numeric is null
	          or  (@percentage::numeric = 0 or s.negative_since is not null)
	          and (@status::smallint is not null or s.status <> 3)
	          and c.payment_model = 0
	          and coalesce(a.threshold, c.threshold) > 0
	          and -s.balance * 100 >= coalesce(a.threshold, c.threshold) * @percentage::numeric)
	order by a.number
	limit    @most`

// Accounts hands accounts to each, in the order of their numbers, a page at a
// time: as many as there are, in flat memory.
func (s *Store) Accounts(ctx context.Context, f AccountFilter, now time.Time, each func(*AccountView) error) error {
	snap, err := s.Snapshot(ctx)
	if err != nil {
		return err
	}
	resellers, err := f.Within.resellersOf(ctx, s.pool)
	if err != nil {
		return err
	}
	size, left := accountPage, math.MaxInt
	if f.Most > 0 {
		size, left = min(f.Most, accountPage), f.Most
	}
	args := f.args(resellers, size)
	for {
		page, err := collect(ctx, s.pool, accountViews, func(r pgx.CollectableRow) (*AccountView, error) {
			return scanView(r, snap, now)
		}, pgx.QueryExecModeCacheDescribe, args)
		if err != nil {
			return fmt.Errorf("list accounts: %w", err)
		}
		ended := len(page) < size
		if !ended {
			args["after"] = page[size-1].Number
		}
		page = page[:min(left, len(page))]
		if err := readPeriodic(ctx, s.pool, page); err != nil {
			return err
		}
		for _, v := range page {
			if err := each(v); err != nil {
				return err
			}
		}
		if left -= len(page); ended || left == 0 {
			return nil
		}
	}
}

func (f AccountFilter) args(resellers []int64, most int) pgx.NamedArgs {
	args := pgx.NamedArgs{"after": f.After, "customer": f.Customer, "status": f.Status, "resellers": resellers, "percentage": nil, "most": most}
	if f.NearThreshold != nil {
		args["percentage"] = f.NearThreshold.String()
	}
	return args
}
