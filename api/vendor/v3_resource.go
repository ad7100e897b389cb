package vendor

import (
	"strconv"
	"time"

	"github.com/chargehand/chargehand/postgres"
)

// v3Resource is an account as JSON:API has it.
type v3Resource struct {
	ID            string          `json:"id" doc:"Account ID."`
	Type          string          `json:"type" enum:"accounts"`
	Attributes    v3Attributes    `json:"attributes"`
	Relationships v3Relationships `json:"relationships"`
}

// v3Relationships are those of an account. There are no subscriptions here.
type v3Relationships struct {
	Subscriptions struct {
		Data []v3Identifier `json:"data"`
	} `json:"subscriptions"`
}

// v3Identifier names a resource.
type v3Identifier struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

// v3Attributes are the attributes of an account, in the documents' order.
type v3Attributes struct {
	CreatedAt           string            `json:"created_at" example:"2021-02-11T10:18:19.148+03:00"`
	UpdatedAt           string            `json:"updated_at"`
	ResellerID          *int64            `json:"reseller_id"`
	Name                string            `json:"name" doc:"By the pattern of the account's type."`
	AccountClassID      int64             `json:"account_class_id"`
	PrimaryName         string            `json:"primary_name"`
	FirstName           string            `json:"first_name"`
	MiddleName          string            `json:"middle_name"`
	LastName            string            `json:"last_name"`
	Country             string            `json:"country" doc:"ISO 3166-1 alpha-2." example:"BY"`
	Region              string            `json:"region"`
	City                string            `json:"city"`
	Street              string            `json:"street"`
	Building            string            `json:"building"`
	Office              string            `json:"office"`
	Zip                 string            `json:"zip"`
	Phone               string            `json:"phone"`
	Email               string            `json:"email"`
	Status              string            `json:"status" enum:"active,administrative_hold,credit_hold,deleted"`
	Balance             string            `json:"balance" doc:"Decimal." example:"0.0"`
	UsableBalance       string            `json:"usable_balance" doc:"Balance less what is reserved." example:"0.0"`
	CurrentDebt         Number            `json:"current_debt"`
	CreditLimit         Number            `json:"subscription_credit_limit" doc:"That which is in force."`
	Threshold           Number            `json:"financial_blocking_threshold" doc:"That which is in force."`
	AccountTypeID       *int64            `json:"account_type_id"`
	ManagerID           *int64            `json:"manager_id"`
	OwnerID             *int64            `json:"owner_id"`
	TechUserID          *int64            `json:"tech_user_id"`
	BillUserID          *int64            `json:"bill_user_id"`
	CustomAttributes    map[string]string `json:"custom_attributes" doc:"Values by the attributes' keys."`
	Manager             *v3Manager        `json:"manager"`
	Owner               *v3Owner          `json:"owner"`
	ProductManagers     []v3Manager       `json:"account_product_managers" doc:"Empty always."`
	SelfRegistration    bool              `json:"self_registration" doc:"False always."`
	DefaultPaymentModel string            `json:"default_payment_model" enum:"prepay,postpay" doc:"That of the class."`
	AccountType         *v3Type           `json:"account_type"`
	AccountClass        v3Class           `json:"account_class"`
}

// v3Manager is the manager an account is linked to.
type v3Manager struct {
	CreatedAt        string            `json:"created_at"`
	UpdatedAt        string            `json:"updated_at"`
	ResellerID       int64             `json:"reseller_id"`
	ID               int64             `json:"id"`
	Name             string            `json:"name"`
	Status           string            `json:"status"`
	Email            string            `json:"email"`
	Role             string            `json:"role" example:"sales"`
	Phone            *string           `json:"phone"`
	Photo            *string           `json:"photo"`
	CustomAttributes map[string]string `json:"custom_attributes"`
}

// v3Owner is the user who owns an account.
type v3Owner struct {
	CreatedAt     string `json:"created_at"`
	UpdatedAt     string `json:"updated_at"`
	Email         string `json:"email"`
	AccountStatus string `json:"account_status"`
	GlobalStatus  string `json:"global_status"`
	FirstName     string `json:"first_name"`
	MiddleName    string `json:"middle_name"`
	LastName      string `json:"last_name"`
}

// v3Type is the account type of an account.
type v3Type struct {
	ID                     int64   `json:"id"`
	Name                   string  `json:"name"`
	CreatedAt              string  `json:"created_at"`
	UpdatedAt              string  `json:"updated_at"`
	ResellerID             *int64  `json:"reseller_id"`
	NamePattern            string  `json:"name_pattern" example:"%first_name %middle_name %last_name"`
	PrimaryName            string  `json:"primary_name"`
	Key                    string  `json:"key"`
	DefaultPaymentMethodID *int64  `json:"default_payment_method_id"`
	Ancestry               *string `json:"ancestry"`
	UseByDefault           bool    `json:"use_by_default"`
}

// v3Class is the account class of an account.
type v3Class struct {
	ID                     int64  `json:"id"`
	ResellerID             *int64 `json:"reseller_id"`
	Name                   string `json:"name"`
	CreatedAt              string `json:"created_at"`
	UpdatedAt              string `json:"updated_at"`
	Threshold              string `json:"financial_blocking_threshold" doc:"Decimal." example:"0.0"`
	DueOrderPeriod         int    `json:"due_order_period" doc:"Days."`
	SubzeroPeriod          int    `json:"subzero_period" doc:"Days that a balance may stay negative; 0 none, -1 for ever."`
	StopSubscriptionType   string `json:"stop_subscription_type" enum:"automatically,manually"`
	Key                    string `json:"key"`
	Color                  string `json:"color"`
	GuaranteedLimit        Number `json:"guaranteed_payment_limit"`
	GuaranteedPeriod       int    `json:"guaranteed_payment_period" doc:"Days."`
	DeleteSubscriptionType string `json:"delete_subscription_type" enum:"automatically,manually"`
	Denominated            bool   `json:"denominated"`
	BuyWithNegativeBalance bool   `json:"buy_with_negative_balance"`
	ReceiptDay             *int   `json:"receipt_day"`
	PaymentModel           string `json:"payment_model" enum:"prepay,postpay"`
	Default                bool   `json:"default"`
	DuePaymentPeriod       int    `json:"due_payment_period" doc:"Days."`
	CreditLimit            string `json:"subscription_credit_limit" doc:"Decimal." example:"10000.0"`
}

// v3One is an account as a resource.
func v3One(a *postgres.VendorAccount, zone *time.Location) v3Resource {
	v := v3Resource{ID: strconv.FormatInt(a.ID, 10), Type: "accounts", Attributes: v3AttributesOf(a, zone)}
	v.Relationships.Subscriptions.Data = []v3Identifier{}
	return v
}

func v3AttributesOf(a *postgres.VendorAccount, zone *time.Location) v3Attributes {
	v := v3Attributes{
		CreatedAt: instant(a.CreatedAt, zone), UpdatedAt: instant(a.UpdatedAt, zone),
		ResellerID: orNull(a.Reseller), Name: a.Name, AccountClassID: a.Class.ID,
		PrimaryName: a.PrimaryName, FirstName: a.FirstName, MiddleName: a.MiddleName, LastName: a.LastName,
		Country: a.Country, Region: a.Region, City: a.City, Street: a.Street, Building: a.Building, Office: a.Office,
		Zip: a.Zip, Phone: a.Phone, Email: a.Email,
		Status: a.Status.String(), Balance: figure(a.Balance), UsableBalance: figure(a.UsableBalance),
		CurrentDebt: number(a.CurrentDebt), CreditLimit: number(a.CreditLimit), Threshold: number(a.Threshold),
		TechUserID: orNull(a.TechUser), BillUserID: orNull(a.BillUser), CustomAttributes: texts(a.CustomAttributes),
		Manager: v3ManagerOf(a.Manager, zone), Owner: v3OwnerOf(a.Owner, zone), ProductManagers: []v3Manager{},
		DefaultPaymentModel: a.Class.PaymentModel.String(), AccountType: v3TypeOf(a.Type, zone), AccountClass: v3ClassOf(&a.Class, zone),
	}
	if a.Type != nil {
		v.AccountTypeID = &a.Type.ID
	}
	if a.Manager != nil {
		v.ManagerID = &a.Manager.ID
	}
	if a.Owner != nil {
		v.OwnerID = &a.Owner.ID
	}
	return v
}

func v3ManagerOf(m *postgres.VendorManager, zone *time.Location) *v3Manager {
	if m == nil {
		return nil
	}
	return &v3Manager{
		CreatedAt: instant(m.CreatedAt, zone), UpdatedAt: instant(m.UpdatedAt, zone), ResellerID: m.Reseller, ID: m.ID,
		Name: m.Name, Status: m.Status, Email: m.Email, Role: m.Role, Phone: orNull(m.Phone), Photo: orNull(m.Photo),
		CustomAttributes: texts(m.CustomAttributes),
	}
}

func v3OwnerOf(u *postgres.VendorUser, zone *time.Location) *v3Owner {
	if u == nil {
		return nil
	}
	return &v3Owner{
		CreatedAt: instant(u.CreatedAt, zone), UpdatedAt: instant(u.UpdatedAt, zone), Email: u.Email,
		AccountStatus: u.AccountStatus, GlobalStatus: u.GlobalStatus, FirstName: u.FirstName, MiddleName: u.MiddleName, LastName: u.LastName,
	}
}

func v3TypeOf(t *postgres.VendorType, zone *time.Location) *v3Type {
	if t == nil {
		return nil
	}
	return &v3Type{
		ID: t.ID, Name: t.Name, CreatedAt: instant(t.CreatedAt, zone), UpdatedAt: instant(t.UpdatedAt, zone),
		ResellerID: orNull(t.Reseller), NamePattern: t.NamePattern, PrimaryName: t.PrimaryName, Key: t.Key,
		DefaultPaymentMethodID: orNull(t.DefaultPaymentMethodID), Ancestry: orNull(t.Ancestry), UseByDefault: t.UseByDefault,
	}
}

func v3ClassOf(c *postgres.VendorClass, zone *time.Location) v3Class {
	p := &c.Profile
	return v3Class{
		ID: c.ID, ResellerID: orNull(p.Reseller), Name: c.Name, CreatedAt: instant(c.CreatedAt, zone), UpdatedAt: instant(c.UpdatedAt, zone),
		Threshold: figure(c.Threshold), DueOrderPeriod: p.DueOrderDays, SubzeroPeriod: c.SubzeroDays,
		StopSubscriptionType: p.StopSubscriptions.String(), Key: c.Key, Color: p.Color, GuaranteedLimit: whole(p.GuaranteedLimit),
		GuaranteedPeriod: p.GuaranteedDays, DeleteSubscriptionType: p.DeleteSubscriptions.String(), Denominated: p.Denominated,
		BuyWithNegativeBalance: c.BuyWithNegativeBalance, ReceiptDay: orNull(p.ReceiptDay), PaymentModel: c.PaymentModel.String(),
		Default: c.Default, DuePaymentPeriod: p.DuePaymentDays, CreditLimit: figure(c.CreditLimit),
	}
}
