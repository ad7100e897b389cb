package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/jackc/pgx/v5"
)

// VendorClass is an account class with its times.
type VendorClass struct {
	billing.Class
	CreatedAt, UpdatedAt time.Time
}

// VendorType is an account type with its times.
type VendorType struct {
	billing.AccountType
	CreatedAt, UpdatedAt time.Time
}

// VendorManager is a manager with its times.
type VendorManager struct {
	billing.Manager
	CreatedAt, UpdatedAt time.Time
}

// VendorUser is a user with its times.
type VendorUser struct {
	billing.User
	CreatedAt, UpdatedAt time.Time
}

const allResellers = `
	select   id, name, coalesce(parent, 0), countries, coalesce(currency, '')
	from     resellers
	order by id`

func resellers(ctx context.Context, q querier) ([]billing.Reseller, error) {
	all, err := collect(ctx, q, allResellers, func(row pgx.CollectableRow) (r billing.Reseller, err error) {
		err = row.Scan(&r.ID, &r.Name, &r.Parent, &r.Countries, &r.Currency)
		if len(r.Countries) == 0 {
			r.Countries = nil
		}
		return r, err
	})
	return all, wrap(err, "read resellers")
}

// Of the lists below, ids null is everybody.
const (
	managersOf = `
	select   id, reseller, name, email, role, status, coalesce(phone, ''), coalesce(photo, ''), custom_attributes,
	         created_at, updated_at
	from     managers
	where    @ids::bigint[] is null
	or       id = any(@ids)
	order by id`

	usersOf = `
	select   id, coalesce(reseller, 0), first_name, middle_name, last_name, email, account_status, global_status,
	         created_at, updated_at
	from     users
	where    @ids::bigint[] is null
	or       id = any(@ids)
	order by id`

	accountTypesOf = `
	select   id, key, name, coalesce(reseller, 0), name_pattern, primary_name, coalesce(default_payment_method, 0),
	         coalesce(ancestry, ''), use_by_default, attributes, created_at, updated_at
	from     account_types
	where    @ids::bigint[] is null
	or       id = any(@ids)
	order by id`

	classTimes = `select key, created_at, updated_at from classes where key = any(@keys::text[])`
)

func managers(ctx context.Context, q querier, ids []int64) ([]VendorManager, error) {
	all, err := collect(ctx, q, managersOf, func(r pgx.CollectableRow) (m VendorManager, err error) {
		var custom []byte
		if err := r.Scan(&m.ID, &m.Reseller, &m.Name, &m.Email, &m.Role, &m.Status, &m.Phone, &m.Photo, &custom,
			&m.CreatedAt, &m.UpdatedAt); err != nil {
			return m, err
		}
		m.CustomAttributes, err = readTexts(custom)
		return m, err
	}, pgx.NamedArgs{"ids": ids})
	return all, wrap(err, "read managers")
}

func users(ctx context.Context, q querier, ids []int64) ([]VendorUser, error) {
	all, err := collect(ctx, q, usersOf, func(r pgx.CollectableRow) (u VendorUser, err error) {
		err = r.Scan(&u.ID, &u.Reseller, &u.FirstName, &u.MiddleName, &u.LastName, &u.Email, &u.AccountStatus, &u.GlobalStatus,
			&u.CreatedAt, &u.UpdatedAt)
		return u, err
	}, pgx.NamedArgs{"ids": ids})
	return all, wrap(err, "read users")
}

func accountTypes(ctx context.Context, q querier, ids []int64) ([]VendorType, error) {
	all, err := collect(ctx, q, accountTypesOf, func(r pgx.CollectableRow) (t VendorType, err error) {
		var attributes []byte
		if err := r.Scan(&t.ID, &t.Key, &t.Name, &t.Reseller, &t.NamePattern, &t.PrimaryName, &t.DefaultPaymentMethodID,
			&t.Ancestry, &t.UseByDefault, &attributes, &t.CreatedAt, &t.UpdatedAt); err != nil {
			return t, err
		}
		if err := json.Unmarshal(attributes, &t.Attributes); err != nil {
			return t, fmt.Errorf("attributes of account type %d: %w", t.ID, err)
		}
		if len(t.Attributes) == 0 {
			t.Attributes = nil
		}
		return t, nil
	}, pgx.NamedArgs{"ids": ids})
	return all, wrap(err, "read account types")
}

// readTexts reads what is stored of custom attributes; nil where there are none.
func readTexts(stored []byte) (all map[string]string, err error) {
	if err := json.Unmarshal(stored, &all); err != nil {
		return nil, fmt.Errorf("custom attributes: %w", err)
	}
	if len(all) == 0 {
		return nil, nil
	}
	return all, nil
}

// storedTexts is custom attributes as they are stored.
func storedTexts(all map[string]string) string {
	if len(all) == 0 {
		return "{}"
	}
	return text(all)
}

// nullID is an id for the database: null where it is none.
func nullID(id int64) *int64 {
	if id == 0 {
		return nil
	}
	return &id
}
