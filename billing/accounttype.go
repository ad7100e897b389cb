package billing

// AccountType says how accounts are named and which custom attributes they
// have.
type AccountType struct {
	ID       int64
	Key      string
	Name     string
	Reseller int64 // 0: of the installation
	// NamePattern is how an account is called: a text in which %primary_name,
	// %first_name, %middle_name and %last_name stand for what its contact says.
	NamePattern            string
	PrimaryName            string
	DefaultPaymentMethodID int64  // 0: none
	Ancestry               string // empty: none
	UseByDefault           bool
	Attributes             []Attribute
}

// Attribute is a custom attribute that accounts of a type have.
type Attribute struct {
	Key, Name string
	Kind      AttributeKind
	Required  bool      // of new accounts
	Elements  []Element // of a list
}

// Element is one of the values that an attribute which is a list may have.
type Element struct{ Key, Name string }

// AttributeKind is what the values of an attribute are.
type AttributeKind uint8

// The kinds of attribute. The numbers are stored.
const (
	TextAttribute     AttributeKind = iota
	CheckboxAttribute               // 1 or 0
	DateAttribute                   // DD.MM.YYYY
	ListAttribute                   // an element's key
)

var attributeKindNames = []string{"text", "checkbox", "date", "list"}

// String is the kind's word.
func (k AttributeKind) String() string { return attributeKindNames[k] }

// MarshalText writes the kind's word.
func (k AttributeKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the kind's word.
func (k *AttributeKind) UnmarshalText(text []byte) (err error) {
	*k, err = wordOf[AttributeKind]("attribute kind", attributeKindNames, string(text))
	return err
}
