package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/chargehand/chargehand/rating"
	"github.com/chargehand/chargehand/setup"
	"github.com/jackc/pgx/v5"
)

// ApplyOptions say how a set-up file is applied.
type ApplyOptions struct {
	At           time.Time // the now of all that it decides (SPEC R2.7)
	Actor        string
	DryRun       bool
	TimeZone     *time.Location // of accounts that name none: billing.time_zone
	LimitsForAll bool           // limits.scope: all_accounts
	// If is the versions of which the settings must have one; nil: any.
	If Revisions
}

// Applied is what applying a file changed, or in a dry run would change; in JSON
// as apply prints it.
type Applied struct {
	DryRun   bool             `json:"dry_run"`
	Changes  []Change         `json:"changes"`
	Warnings []rating.Warning `json:"warnings"`

	Version int64 `json:"-"` // of the settings, from now on
}

// Change is one thing that a file changed.
type Change struct {
	What   string `json:"what"` // "price", "account", …
	Key    string `json:"key"`
	Did    string `json:"did"` // "added" or "changed"
	Detail string `json:"detail,omitempty"`
}

// ErrLimitsGlobal refuses limits of one account where they are set for all
// (SPEC R4.8). Its text begins with the word that users script against.
var ErrLimitsGlobal = errors.New("limits_defined_globally: limits.scope is all_accounts, set them at the top of the set-up file")

// ErrLimitsPerAccount refuses limits of all accounts where each has its own.
var ErrLimitsPerAccount = errors.New("limits.scope is per_account: set limits in the accounts")

// Apply makes true what a set-up file says (CONTRACT §2), all or nothing. What
// is refused is a setup.Faults with the file's lines.
func (s *Store) Apply(ctx context.Context, f *setup.File, o ApplyOptions) (*Applied, error) {
	write := s.Write
	if o.DryRun {
		write = s.WriteDry
	}
	var done *Applied
	err := write(ctx, o.At, o.Actor, func(t *Tx) error {
		a := &applier{Tx: t, options: o, file: f}
		if err := a.run(ctx); err != nil {
			return err
		}
		a.done.Version = a.now.Version
		done = &a.done
		t.idle = len(done.Changes) == 0
		return nil
	})
	if err != nil {
		return nil, err
	}
	return done, nil
}

// applier is one application at work. It takes the settings for itself: no batch
// commits before it is through, and each that follows sees what it set.
type applier struct {
	*Tx
	options ApplyOptions
	file    *setup.File
	old     *Snapshot // as it was before
	now     *Snapshot // with catalogue, prices and classes as the file has them
	people  people    // as they were before
	moved   map[string]bool
	// renumbered are the accounts that the file gives an id.
	renumbered map[string]bool
	done       Applied
}

// people is what is read of resellers and account types before a file changes
// them.
type people struct {
	resellers []billing.Reseller
	types     []billing.AccountType
}

// matches refuses to go on from settings that are not those which the caller saw.
func (a *applier) matches() error {
	return a.options.If.hold("the settings, by now of version", strconv.FormatInt(a.old.Version, 10), a.old.Version)
}

func (a *applier) run(ctx context.Context) error {
	if _, err := a.tx.Exec(ctx, `lock table settings in exclusive mode`); err != nil {
		return fmt.Errorf("take the settings: %w", err)
	}
	var err error
	if a.old, err = a.Snapshot(ctx); err != nil {
		return err
	}
	if err := a.matches(); err != nil {
		return err
	}
	if err := a.resolve(ctx); err != nil {
		return err
	}
	a.done = Applied{DryRun: a.options.DryRun, Changes: []Change{}, Warnings: []rating.Warning{}}
	for _, step := range []func(context.Context) error{
		a.catalogue, a.prices, a.resellers, a.classes, a.limitsOfAll, a.raise, a.staff, a.customers, a.testClasses, a.testTypes,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (a *applier) did(what, key, did, detail string) {
	a.done.Changes = append(a.done.Changes, Change{What: what, Key: key, Did: did, Detail: detail})
}

// refuse is a fault at the line where the file names a thing.
func (a *applier) refuse(kind setup.Kind, key, format string, args ...any) error {
	return setup.Faults{a.file.Fault(kind, key, fmt.Sprintf(format, args...))}
}

// resolve checks the file's references against what is stored.
func (a *applier) resolve(ctx context.Context) error {
	numbers, err := collect(ctx, a.tx, `select number from accounts where number = any(@numbers::text[])`,
		pgx.RowTo[string], pgx.NamedArgs{"numbers": a.file.PriceAccounts()})
	if err != nil {
		return fmt.Errorf("look up accounts of prices: %w", err)
	}
	stored := a.old.Catalogue()
	stored.Accounts = numbers
	if err := a.lookUpPeople(ctx, &stored); err != nil {
		return err
	}
	resolved, err := a.file.Resolve(stored)
	if err != nil {
		return err
	}
	a.file = resolved
	return nil
}

// Catalogue is what set-up files may refer to, but for accounts.
func (s *Snapshot) Catalogue() setup.Catalogue {
	c := setup.Catalogue{Families: s.Families, Types: s.Types, Services: s.Services}
	for _, class := range s.Classes {
		c.Classes = append(c.Classes, class)
	}
	return c
}

// catalogue writes families, types and services, and gives numbers to targets
// and placements that are new.
func (a *applier) catalogue(ctx context.Context) error {
	var b pgx.Batch
	for _, f := range a.file.Families {
		if a.differs(setup.KindFamily, f.Code, find(a.old.Families, f.Code, func(f billing.Family) string { return f.Code }), f) {
			b.Queue(`insert into families (code, name) values (@code, @name)
				on conflict on constraint a_family_has_one_code do update set name = excluded.name`,
				pgx.NamedArgs{"code": f.Code, "name": f.Name})
		}
	}
	for _, t := range a.file.Types {
		if a.differs(setup.KindType, t.Code, find(a.old.Types, t.Code, func(t billing.ServiceType) string { return t.Code }), t) {
			b.Queue(saveType, pgx.NamedArgs{"code": t.Code, "name": t.Name, "family": nullText(t.Family),
				"unit_code": t.Unit.Code, "unit_name": t.Unit.Name})
		}
	}
	for _, v := range a.file.Services {
		if a.differs(setup.KindService, v.Code, find(a.old.Services, v.Code, func(v billing.Service) string { return v.Code }), v) {
			b.Queue(saveService, pgx.NamedArgs{"code": v.Code, "alternative": nullText(v.AlternativeCode),
				"description": v.Description, "type": v.Type})
		}
	}
	if b.Len() == 0 {
		return nil
	}
	b.Queue(numberTargets)
	b.Queue(numberPlacements)
	if err := a.tx.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("write the catalogue: %w", err)
	}
	return nil
}

const (
	saveType = `
	insert into service_types (code, name, family, unit_code, unit_name)
	values (@code, @name, @family, @unit_code, @unit_name)
	on conflict on constraint a_type_has_one_code
	do update set name      = excluded.name,
	              family    = excluded.family,
	              unit_code = excluded.unit_code,
	              unit_name = excluded.unit_name`

	saveService = `
	insert into services (code, alternative_code, description, type)
	values (@code, @alternative, @description, @type)
	on conflict on constraint a_service_has_one_code
	do update set alternative_code = excluded.alternative_code,
	              description      = excluded.description,
	              type             = excluded.type`

	// Numbers are given in order, by whoever holds the settings.
	numberTargets = `
	insert into targets (id, scope, code)
	select (select coalesce(max(id), 0) from targets) + row_number() over (order by scope, code), scope, code
	from   (select 0 as scope, code from services
	        union all select 1, code from service_types
	        union all select 2, code from families
	        except select scope, code from targets) n`

	numberPlacements = `
	insert into placements (id, service, type, family)
	select (select coalesce(max(id), 0) from placements) + row_number() over (order by service), service, type, family
	from   (select s.code as service, t.code as type, coalesce(t.family, '') as family
	        from   services s
	        join   service_types t on t.code = s.type
	        except select service, type, family from placements) n`
)

// find is the element of a list with this key, or nil.
func find[T any, K comparable](all []T, key K, keyOf func(T) K) *T {
	for i := range all {
		if keyOf(all[i]) == key {
			return &all[i]
		}
	}
	return nil
}

// differs notes whether the file adds or changes a thing of the catalogue.
func (a *applier) differs(kind setup.Kind, key string, old any, now any) bool {
	before, after := text(old), text(now)
	switch before {
	case after:
		return false
	case "null":
		a.did(string(kind), key, "added", "")
	default:
		a.did(string(kind), key, "changed", "")
	}
	return true
}

// text is v in one comparable form.
func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error() // structs of strings, numbers and times: they marshal
	}
	return string(b)
}

func nullText(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// prices writes the file's prices. One that has rated records may only get
// another end (SPEC R3.7).
func (a *applier) prices(ctx context.Context) error {
	next := int32(0)
	for ref := range a.old.prices {
		next = max(next, ref)
	}
	var b pgx.Batch
	for i := range a.file.Prices {
		p := &a.file.Prices[i]
		old := a.old.Book.Price(p.ID)
		switch {
		case old == nil:
			next++
			b.Queue(insertPrice, priceArgs(next, p))
			a.did("price", p.ID, "added", "")
		case old.Equal(*p):
		case a.old.Rated(a.old.Ref(old)) && !old.SameButEnd(p):
			return a.refuse(setup.KindPrice, p.ID, "price %s has rated records: only its valid_to may change; "+
				"end or void it, begin a right one in its place and re-rate", p.ID)
		default:
			b.Queue(replacePrice, priceArgs(a.old.Ref(old), p))
			a.did("price", p.ID, "changed", "")
		}
	}
	if err := a.tx.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("write prices: %w", err)
	}
	return a.checkBook()
}

// checkBook makes sure that the file's prices and the stored ones do not
// overlap, and collects what is odd about them.
func (a *applier) checkBook() error {
	all := map[string]rating.Price{}
	for _, p := range a.old.prices {
		all[p.ID] = *p
	}
	for _, p := range a.file.Prices {
		all[p.ID] = p
	}
	list := make([]rating.Price, 0, len(all))
	for _, id := range slices.Sorted(maps.Keys(all)) {
		list = append(list, all[id])
	}
	if _, err := rating.Open(list); err != nil {
		return a.file.BookFaults(err)
	}
	if len(a.file.Prices) > 0 {
		a.done.Warnings = append(a.done.Warnings, rating.Warnings(list)...)
	}
	return nil
}

const (
	insertPrice = `
	insert into prices (ref, id, service, currency, class, account, valid_from, valid_to, body)
	values (@ref, @id, @service, @currency, @class, @account, @valid_from, @valid_to, @body)`

	replacePrice = `
	update prices
	set    service    = @service,
	       currency   = @currency,
	       class      = @class,
	       account    = @account,
	       valid_from = @valid_from,
	       valid_to   = @valid_to,
	       body       = @body
	where  ref = @ref`
)

func priceArgs(ref int32, p *rating.Price) pgx.NamedArgs {
	return pgx.NamedArgs{"ref": ref, "id": p.ID, "service": p.Service, "currency": p.Currency, "class": nullText(p.Class),
		"account": nullText(p.Account), "valid_from": p.ValidFrom, "valid_to": p.ValidTo, "body": text(p)}
}

// limitsOfAll writes the limits at the top of a file.
func (a *applier) limitsOfAll(ctx context.Context) error {
	if a.file.Limits == nil {
		return nil
	}
	if !a.options.LimitsForAll {
		return a.refuse(setup.KindLimits, "", "%v", ErrLimitsPerAccount)
	}
	_, old, err := a.limitsOf(ctx, "", a.old.LimitsVersion)
	if err != nil {
		return err
	}
	if old.Equal(*a.file.Limits) {
		return nil
	}
	a.did("limits", "all accounts", "changed", "")
	return a.saveLimits(ctx, "", a.old.LimitsVersion+1, *a.file.Limits)
}

// raise makes the new settings seen, where they changed, and reads them back.
func (a *applier) raise(ctx context.Context) (err error) {
	if len(a.done.Changes) > 0 {
		if err := a.raiseSettings(ctx); err != nil {
			return err
		}
	}
	a.now, err = a.Snapshot(ctx)
	return err
}

// raiseSettings gives the settings a new version.
func (t *Tx) raiseSettings(ctx context.Context) error {
	if _, err := t.tx.Exec(ctx, `update settings set version = version + 1`); err != nil {
		return fmt.Errorf("raise the settings' version: %w", err)
	}
	return nil
}

// limitsOf reads a version of an account's limits; version 0 is no limits.
func (t *Tx) limitsOf(ctx context.Context, account string, version int32) (body string, l limits.Settings, err error) {
	return limitsAt(ctx, t.tx, account, version)
}

func limitsAt(ctx context.Context, q querier, account string, version int32) (body string, l limits.Settings, err error) {
	if version == 0 {
		return "", l, nil
	}
	err = q.QueryRow(ctx, `select body::text from limits where account = @account and version = @version`,
		pgx.NamedArgs{"account": account, "version": version}).Scan(&body)
	if err == nil {
		err = json.Unmarshal([]byte(body), &l)
	}
	if err != nil {
		return "", l, fmt.Errorf("read version %d of the limits of %q: %w", version, account, err)
	}
	return body, l, nil
}

func (t *Tx) saveLimits(ctx context.Context, account string, version int32, l limits.Settings) error {
	_, err := t.tx.Exec(ctx, `insert into limits (account, version, body, set_at, actor)
		values (@account, @version, @body, @now, @actor)`,
		pgx.NamedArgs{"account": account, "version": version, "body": text(l), "now": t.Now, "actor": t.Actor})
	if err != nil {
		return fmt.Errorf("write the limits of %q: %w", account, err)
	}
	return nil
}
