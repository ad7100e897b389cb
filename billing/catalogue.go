package billing

// Family groups types of service.
type Family struct{ Code, Name string }

// Unit is what a type's quantities are measured in.
type Unit struct{ Code, Name string }

// ServiceType groups services that share a unit. Its code is what CRM.COM calls
// its alternative code. Family is empty where it belongs to none.
type ServiceType struct {
	Code, Name, Family string
	Unit               Unit
}

// Service is what is used. AlternativeCode is empty where there is none.
type Service struct {
	Code, AlternativeCode, Description, Type string
}

// Placement is a service with the type and family that it belonged to when a
// record was counted: what is counted stays counted where it was, even if the
// service moves later (SPEC R4.6). Family is empty where there is none.
type Placement struct{ Service, Type, Family string }

// Target is the code that p has in a scope; the account's is empty.
func (p Placement) Target(s ScopeKind) string {
	switch s {
	case OfService:
		return p.Service
	case OfType:
		return p.Type
	case OfFamily:
		return p.Family
	default:
		return ""
	}
}

// Scope is what a counter counts: one service, type or family of an account, or
// the account as a whole (Target is then empty).
type Scope struct {
	Kind   ScopeKind
	Target string
}

// Scopes lists the scopes that a record of p counts in: service, type, family
// (where there is one), account.
func (p Placement) Scopes() []Scope {
	s := make([]Scope, 0, 4)
	s = append(s, Scope{OfService, p.Service}, Scope{OfType, p.Type})
	if p.Family != "" {
		s = append(s, Scope{OfFamily, p.Family})
	}
	return append(s, Scope{Kind: OfAccount})
}

// Counter is what has been counted of one scope in one window (SPEC §1).
type Counter struct {
	Quantity Fixed // sum of quantities
	Amount   Fixed // sum of rounded charges
}

// Add is c with one more record's quantity and charge.
func (c Counter) Add(quantity, amount Fixed) Counter {
	return Counter{Quantity: c.Quantity.Add(quantity), Amount: c.Amount.Add(amount)}
}

// Value is what c has of a metric.
func (c Counter) Value(m Metric) Fixed {
	if m == Usage {
		return c.Quantity
	}
	return c.Amount
}

// IsZero tells whether nothing is counted, or all of it was given back.
func (c Counter) IsZero() bool { return c.Quantity.IsZero() && c.Amount.IsZero() }
