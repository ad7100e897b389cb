package billing

// Reseller is who accounts are sold by. Resellers form a tree: one sees its own
// accounts and those of all that are downstream of it.
type Reseller struct {
	ID     int64
	Name   string
	Parent int64 // 0: none is above it
	// Countries are those that its new accounts may be of, by ISO 3166-1; empty:
	// all.
	Countries []string
	Currency  string // of its new accounts; empty: the usual one
}

// Manager is a reseller's employee whom an account may be linked to.
type Manager struct {
	ID               int64
	Reseller         int64
	Name, Email      string
	Role, Status     string
	Phone, Photo     string            // empty: none
	CustomAttributes map[string]string // empty: nil
}

// What a manager must be for a new account to be linked to it.
const (
	SalesRole     = "sales"
	ActiveManager = "active"
)

// Sells tells whether new accounts may be linked to m.
func (m *Manager) Sells() bool { return m.Role == SalesRole && m.Status == ActiveManager }

// User is a person who signs in for accounts: as their owner, or for what is
// technical or financial about them. Whose it is says which tokens may name it
// (ADR 0010).
type User struct {
	ID                              int64
	Reseller                        int64 // 0: of the installation
	FirstName, MiddleName, LastName string
	Email                           string
	AccountStatus, GlobalStatus     string
}

// ActiveUser is either status of a user who may sign in.
const ActiveUser = "active"
