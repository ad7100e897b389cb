package api

// The part of a set-up that other products' APIs show: who sells, who manages,
// who uses.

// resellerShape is who sells accounts.
type resellerShape struct {
	ID        int64         `json:"id" minimum:"1" example:"100"`
	Name      string        `json:"name" example:"North"`
	Parent    int64         `json:"parent,omitempty" doc:"Id of the reseller above it."`
	Countries array[string] `json:"countries,omitempty" doc:"Where it sells, ISO 3166-1 alpha-2."`
	Currency  string        `json:"currency,omitempty" doc:"ISO 4217." example:"EUR"`
}

// managerShape is who looks after accounts.
type managerShape struct {
	ID               int64             `json:"id" minimum:"1" example:"7"`
	Reseller         int64             `json:"reseller" doc:"Id of the reseller." example:"100"`
	Name             string            `json:"name" example:"Max Mann"`
	Email            string            `json:"email" example:"max@example.com"`
	Role             string            `json:"role" example:"sales"`
	Status           string            `json:"status,omitempty" example:"active"`
	Phone            string            `json:"phone,omitempty"`
	Photo            string            `json:"photo,omitempty"`
	CustomAttributes map[string]string `json:"custom_attributes,omitempty"`
}

// userShape is who uses an account, or owns it.
type userShape struct {
	ID            int64  `json:"id" minimum:"1" example:"12"`
	Reseller      int64  `json:"reseller,omitempty" doc:"Id of the reseller whose it is; without it the installation's."`
	FirstName     string `json:"first_name,omitempty" example:"Jane"`
	MiddleName    string `json:"middle_name,omitempty"`
	LastName      string `json:"last_name,omitempty" example:"Lane"`
	Email         string `json:"email" example:"jane@example.com"`
	AccountStatus string `json:"account_status,omitempty" example:"active"`
	GlobalStatus  string `json:"global_status,omitempty" example:"active"`
}

// accountTypeShape is a kind of account, with the attributes that one has.
type accountTypeShape struct {
	ID                     int64                 `json:"id" minimum:"1" example:"3"`
	Key                    string                `json:"key" example:"company"`
	Name                   string                `json:"name,omitempty" example:"Company"`
	Reseller               int64                 `json:"reseller,omitempty" doc:"Id of the reseller that it is of; without it of all."`
	NamePattern            string                `json:"name_pattern" doc:"How the name of an account is made."`
	PrimaryName            string                `json:"primary_name,omitempty"`
	DefaultPaymentMethodID int64                 `json:"default_payment_method_id,omitempty"`
	Ancestry               string                `json:"ancestry,omitempty"`
	UseByDefault           bool                  `json:"use_by_default,omitempty"`
	Attributes             array[attributeShape] `json:"attributes,omitempty"`
}

type attributeShape struct {
	Key      string              `json:"key" example:"size"`
	Name     string              `json:"name,omitempty" example:"Size"`
	Kind     string              `json:"kind,omitempty"`
	Required bool                `json:"required,omitempty"`
	Elements array[elementShape] `json:"elements,omitempty" doc:"What may be chosen."`
}

type elementShape struct {
	Key  string `json:"key" example:"small"`
	Name string `json:"name,omitempty" example:"Small"`
}

// profileShape is what is known of the people behind an account.
type profileShape struct {
	ID               int64             `json:"id,omitempty" doc:"The number that other products' APIs know the account by."`
	Reseller         int64             `json:"reseller,omitempty"`
	AccountType      int64             `json:"account_type,omitempty"`
	Manager          int64             `json:"manager,omitempty"`
	Owner            int64             `json:"owner,omitempty" doc:"Id of a user; so are the next two."`
	TechUser         int64             `json:"tech_user,omitempty"`
	BillUser         int64             `json:"bill_user,omitempty"`
	Contact          *contactShape     `json:"contact,omitempty"`
	CustomAttributes map[string]string `json:"custom_attributes,omitempty"`
}

type contactShape struct {
	PrimaryName string `json:"primary_name,omitempty"`
	FirstName   string `json:"first_name,omitempty"`
	MiddleName  string `json:"middle_name,omitempty"`
	LastName    string `json:"last_name,omitempty"`
	Email       string `json:"email,omitempty"`
	Country     string `json:"country,omitempty" doc:"ISO 3166-1 alpha-2."`
	Region      string `json:"region,omitempty"`
	City        string `json:"city,omitempty"`
	Street      string `json:"street,omitempty"`
	Building    string `json:"building,omitempty"`
	Office      string `json:"office,omitempty"`
	Zip         string `json:"zip,omitempty"`
	Phone       string `json:"phone,omitempty"`
}
