package setup

import "github.com/chargehand/chargehand/billing"

// Catalogue is what is stored already and a file may refer to.
type Catalogue struct {
	Families []billing.Family
	Types    []billing.ServiceType
	Services []billing.Service
	Classes  []billing.Class
	// Accounts holds numbers of stored accounts: at least those that are stored
	// of the file's PriceAccounts.
	Accounts []string
}

// Names finds services, types and families by what limits may call them
// (CONTRACT §2).
type Names struct{}
