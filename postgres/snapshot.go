package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/chargehand/chargehand/rating"
	"github.com/jackc/pgx/v5"
)

// Snapshot is the settings as of one version: what is the same for all
// accounts. But for MarkRated it does not change.
type Snapshot struct {
	Version  int64
	Book     *rating.Book
	Classes  map[string]billing.Class
	Families []billing.Family
	Types    []billing.ServiceType
	Services []billing.Service
	// Limits of all accounts (SPEC R4.8), and their version; nil where none.
	Limits        *limits.Limits
	LimitsVersion int32

	places  map[string]*billing.Place // by service code, as it belongs now
	placeOf map[int32]*billing.Place  // by number, for ever
	targets map[billing.Scope]billing.TargetID
	codes   map[billing.TargetID]billing.Scope
	prices  map[int32]*rating.Price
	refs    map[*rating.Price]int32
	rated   map[int32]bool
}

// Place is where a service belongs now; nil where there is no such service.
func (s *Snapshot) Place(service string) *billing.Place { return s.places[service] }

// PlaceOf is a placement by its number: where a record was counted.
func (s *Snapshot) PlaceOf(id int32) *billing.Place { return s.placeOf[id] }

// Target is the number under which a scope is counted, 0 for the account.
func (s *Snapshot) Target(scope billing.Scope) (id billing.TargetID, known bool) {
	if scope.Kind == billing.OfAccount {
		return 0, true
	}
	id, known = s.targets[scope]
	return id, known
}

// Code is the code of a counter's target.
func (s *Snapshot) Code(id billing.TargetID) string { return s.codes[id].Target }

// Price is a price by its number, 0 for none.
func (s *Snapshot) Price(ref int32) *rating.Price { return s.prices[ref] }

// Ref is the number of a price of the book.
func (s *Snapshot) Ref(p *rating.Price) int32 { return s.refs[p] }

// Rated tells whether records were rated by a price when the snapshot was taken.
func (s *Snapshot) Rated(ref int32) bool { return s.rated[ref] }

// querier is what both a Store and a Tx read through.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Snapshot reads the settings, all as of one moment.
func (s *Store) Snapshot(ctx context.Context) (*Snapshot, error) {
	var snap *Snapshot
	err := pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly},
		func(tx pgx.Tx) (err error) {
			snap, err = readSnapshot(ctx, tx)
			return err
		})
	return snap, err
}

// SettingsVersion is the version of the settings.
func (s *Store) SettingsVersion(ctx context.Context) (v int64, err error) {
	err = s.pool.QueryRow(ctx, settingsVersion).Scan(&v)
	return v, wrap(err, "read the settings' version")
}

// Snapshot reads the settings as the transaction sees them.
func (t *Tx) Snapshot(ctx context.Context) (*Snapshot, error) { return readSnapshot(ctx, t.tx) }

func readSnapshot(ctx context.Context, q querier) (*Snapshot, error) {
	s := &Snapshot{
		Classes: map[string]billing.Class{},
		places:  map[string]*billing.Place{}, placeOf: map[int32]*billing.Place{},
		targets: map[billing.Scope]billing.TargetID{}, codes: map[billing.TargetID]billing.Scope{},
		prices: map[int32]*rating.Price{}, refs: map[*rating.Price]int32{}, rated: map[int32]bool{},
	}
	if err := q.QueryRow(ctx, settingsVersion).Scan(&s.Version); err != nil {
		return nil, fmt.Errorf("read the settings' version: %w", err)
	}
	for _, read := range []func(context.Context, querier) error{
		s.readCatalogue, s.readTargets, s.readPlacements, s.readClasses, s.readPrices, s.readGlobalLimits,
	} {
		if err := read(ctx, q); err != nil {
			return nil, fmt.Errorf("read the settings: %w", err)
		}
	}
	return s, nil
}

const (
	allFamilies = `select code, name from families order by code`
	allTypes    = `select code, name, coalesce(family, ''), unit_code, unit_name from service_types order by code`
	allServices = `select code, coalesce(alternative_code, ''), description, type from services order by code`
)

func (s *Snapshot) readCatalogue(ctx context.Context, q querier) (err error) {
	if s.Families, err = collect(ctx, q, allFamilies, func(r pgx.CollectableRow) (f billing.Family, err error) {
		return f, r.Scan(&f.Code, &f.Name)
	}); err != nil {
		return err
	}
	if s.Types, err = collect(ctx, q, allTypes, func(r pgx.CollectableRow) (t billing.ServiceType, err error) {
		return t, r.Scan(&t.Code, &t.Name, &t.Family, &t.Unit.Code, &t.Unit.Name)
	}); err != nil {
		return err
	}
	s.Services, err = collect(ctx, q, allServices, func(r pgx.CollectableRow) (v billing.Service, err error) {
		return v, r.Scan(&v.Code, &v.AlternativeCode, &v.Description, &v.Type)
	})
	return err
}

// collect runs a query and scans each of its rows. The function's result is
// read after the scan: a named result would be copied too early.
func collect[T any](ctx context.Context, q querier, sql string, scan func(pgx.CollectableRow) (T, error), args ...any) ([]T, error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scan)
}

func (s *Snapshot) readTargets(ctx context.Context, q querier) error {
	rows, err := q.Query(ctx, `select id, scope, code from targets`)
	if err != nil {
		return err
	}
	var (
		id    billing.TargetID
		scope billing.Scope
	)
	_, err = pgx.ForEachRow(rows, []any{&id, &scope.Kind, &scope.Target}, func() error {
		s.targets[scope], s.codes[id] = id, scope
		return nil
	})
	return err
}

// readPlacements reads every placement there ever was; the one that agrees with
// the catalogue is where a service belongs now.
func (s *Snapshot) readPlacements(ctx context.Context, q querier) error {
	family := map[string]string{}
	for _, t := range s.Types {
		family[t.Code] = t.Family
	}
	now := map[string]billing.Placement{}
	for _, v := range s.Services {
		now[v.Code] = billing.Placement{Service: v.Code, Type: v.Type, Family: family[v.Type]}
	}
	rows, err := q.Query(ctx, `select id, service, type, family from placements`)
	if err != nil {
		return err
	}
	var p billing.Place
	_, err = pgx.ForEachRow(rows, []any{&p.ID, &p.Service, &p.Type, &p.Family}, func() error {
		place := p
		for _, scope := range place.Scopes() {
			place.Targets[scope.Kind] = s.targets[scope]
		}
		s.placeOf[place.ID] = &place
		if now[place.Service] == place.Placement {
			s.places[place.Service] = &place
		}
		return nil
	})
	return err
}

const allClasses = `
	select key, name, payment_model, (threshold * 1000000)::bigint, subzero_days,
	       (credit_limit * 1000000)::bigint, buy_with_negative_balance, is_default, id, coalesce(reseller, 0), color,
	       due_order_days, due_payment_days, (guaranteed_limit * 1000000)::bigint, guaranteed_days, stop_subscriptions,
	       delete_subscriptions, denominated, receipt_day
	from   classes`

func (s *Snapshot) readClasses(ctx context.Context, q querier) error {
	rows, err := q.Query(ctx, allClasses)
	if err != nil {
		return err
	}
	var c billing.Class
	p := &c.Profile
	_, err = pgx.ForEachRow(rows, []any{&c.Key, &c.Name, &c.PaymentModel, &c.Threshold, &c.SubzeroDays,
		&c.CreditLimit, &c.BuyWithNegativeBalance, &c.Default, &c.ID, &p.Reseller, &p.Color, &p.DueOrderDays,
		&p.DuePaymentDays, &p.GuaranteedLimit, &p.GuaranteedDays, &p.StopSubscriptions, &p.DeleteSubscriptions,
		&p.Denominated, &p.ReceiptDay}, func() error {
		s.Classes[c.Key] = c
		return nil
	})
	return err
}

func (s *Snapshot) readPrices(ctx context.Context, q querier) error {
	rows, err := q.Query(ctx, `select ref, body::text, valid_to, rated from prices order by ref`)
	if err != nil {
		return err
	}
	var (
		ref  int32
		body string
		to   *time.Time
		has  bool
		all  []rating.Price
		refs = map[string]int32{}
	)
	_, err = pgx.ForEachRow(rows, []any{&ref, &body, &to, &has}, func() error {
		var p rating.Price
		if err := json.Unmarshal([]byte(body), &p); err != nil {
			return fmt.Errorf("price %d: %w", ref, err)
		}
		p.ValidTo = nil
		if to != nil {
			end := to.UTC()
			p.ValidTo = &end
		}
		all, refs[p.ID], s.rated[ref] = append(all, p), ref, has
		return nil
	})
	if err != nil {
		return err
	}
	if s.Book, err = rating.Open(all); err != nil {
		return err
	}
	for id, ref := range refs {
		p := s.Book.Price(id)
		s.prices[ref], s.refs[p] = p, ref
	}
	return nil
}

const globalLimits = `
	select   version, body::text
	from     limits
	where    account = ''
	order by version desc
	limit    1`

func (s *Snapshot) readGlobalLimits(ctx context.Context, q querier) error {
	var body string
	err := q.QueryRow(ctx, globalLimits).Scan(&s.LimitsVersion, &body)
	if isNoRows(err) {
		return nil
	}
	if err != nil {
		return err
	}
	s.Limits, err = openLimits(body)
	return err
}

// openLimits compiles a stored version of limits.
func openLimits(body string) (*limits.Limits, error) {
	var l limits.Settings
	if err := json.Unmarshal([]byte(body), &l); err != nil {
		return nil, err
	}
	return limits.Open(l), nil
}

// MarkRated notes that prices have rated records now. It is the one thing of a
// snapshot that moves without a new version; its owner is one goroutine.
func (s *Snapshot) MarkRated(refs []int32) {
	for _, ref := range refs {
		s.rated[ref] = true
	}
}
