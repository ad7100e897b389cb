package crm

import (
	"strings"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
)

// Receivable is an account as CRM.COM shows it: every key of its documents, null
// or empty where nothing of the kind is kept here. What an account owes is null
// too, as in the documents' own answers to this method: CRM.COM counts it with
// the opposite sign, and the other doors tell it.
type Receivable struct {
	ID          string  `json:"id"`
	Number      string  `json:"number"`
	Name        string  `json:"name"`
	Description *string `json:"description"`
	Notes       *string `json:"notes"`
	Type        string  `json:"type"`
	State       string  `json:"life_cycle_state"` // ACTIVE, SUSPENDED or TERMINATED
	Primary     bool    `json:"primary_account"`  // the customer's first

	Currency       *Currency       `json:"currency"`
	Classification *Classification `json:"classification"`
	Contact        *Contact        `json:"contact_information"`
	Log            *Log            `json:"log_information"`
	Allowance      *Allowance      `json:"usage_allowance_limits"`

	Balance              any    `json:"balance"`
	Outstanding          any    `json:"outstanding_amount"`
	OpeningBalance       int    `json:"opening_balance"`
	OpeningBalanceDate   any    `json:"opening_balance_date"`
	AccountingPeriod     any    `json:"accounting_period"`
	CreditLimitStatus    any    `json:"credit_limit_status"`
	CreditRating         any    `json:"credit_rating"`
	CreditPeriod         int    `json:"credit_period"`
	CreditPeriodOperator string `json:"credit_period_operator"`
	PrivacyLevel         any    `json:"privacy_level"`
	BillingAddress       any    `json:"billing_address"`
	OwnedByGroup         any    `json:"owned_by_group"`
	PaymentPreferences   []any  `json:"payment_preferences_set"`
	Presentments         []any  `json:"presentment_preferences_set"`
	AccessTokens         []any  `json:"access_tokens_set"`

	UserFields
}

// UserFields are what users of CRM.COM may keep with an account. Nobody does so
// here.
type UserFields struct {
	Text1  any `json:"udf_string_1"`
	Text2  any `json:"udf_string_2"`
	Text3  any `json:"udf_string_3"`
	Text4  any `json:"udf_string_4"`
	Text5  any `json:"udf_string_5"`
	Text6  any `json:"udf_string_6"`
	Text7  any `json:"udf_string_7"`
	Text8  any `json:"udf_string_8"`
	Float1 any `json:"udf_float_1"`
	Float2 any `json:"udf_float_2"`
	Float3 any `json:"udf_float_3"`
	Float4 any `json:"udf_float_4"`
	Date1  any `json:"udf_date_1"`
	Date2  any `json:"udf_date_2"`
	Date3  any `json:"udf_date_3"`
	Date4  any `json:"udf_date_4"`
}

// Classification is the account's class.
type Classification struct {
	ID              string `json:"id"`
	Name            string `json:"name"`
	AlternativeCode string `json:"alternative_code"`
}

// Log tells when an account was made and changed, and by whom where that is
// known. Times are UTC, in CRM.COM's form, which has no offset.
type Log struct {
	CreatedDate string `json:"created_date"`
	UpdatedDate string `json:"updated_date"`
	CreatedBy   *User  `json:"created_by_user"`
	UpdatedBy   *User  `json:"updated_by_user"`
	CreatedUnit any    `json:"created_by_unit"`
	UpdatedUnit any    `json:"updated_by_unit"`
}

// User is who did something: the actor of our histories.
type User struct {
	ID         string  `json:"id"`
	Username   string  `json:"username"`
	PersonName string  `json:"person_name"`
	Email      *string `json:"email"`
}

// logForm is how CRM.COM writes a time.
const logForm = "2006-01-02T15:04:05"

func receivableOf(v *postgres.AccountView, r *postgres.Receivable) *Receivable {
	return &Receivable{
		ID: accountID(v.ID), Number: v.Number, Name: nameOf(r), Type: "CUSTOMER", State: stateOf(v.Status), Primary: r.First,
		Currency:             currencyOf(v.Currency),
		Classification:       &Classification{ID: idOf("classification", v.Class), Name: r.ClassName, AlternativeCode: v.Class},
		Contact:              contactOf(v.Customer, r),
		Log:                  logOf(v.CreatedAt, v.UpdatedAt, r),
		CreditPeriodOperator: "PLUS",
		PaymentPreferences:   []any{}, Presentments: []any{}, AccessTokens: []any{},
	}
}

// nameOf is an account's number and whose it is, as CRM.COM names accounts.
func nameOf(r *postgres.Receivable) string { return strings.TrimSpace(r.Number + " " + r.Holder) }

// stateOf is a status in CRM.COM's words, which know one hold.
func stateOf(s billing.Status) string {
	switch s {
	case billing.Active:
		return "ACTIVE"
	case billing.Deleted:
		return "TERMINATED"
	default:
		return "SUSPENDED"
	}
}

func logOf(created, updated time.Time, r *postgres.Receivable) *Log {
	return &Log{
		CreatedDate: created.UTC().Format(logForm), UpdatedDate: updated.UTC().Format(logForm),
		CreatedBy: userOf(r.CreatedBy), UpdatedBy: userOf(r.UpdatedBy),
	}
}

func userOf(actor string) *User {
	if actor == "" {
		return nil
	}
	return &User{ID: idOf("user", actor), Username: actor, PersonName: actor}
}
