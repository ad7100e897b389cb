package setup

import (
	"errors"

	"github.com/chargehand/chargehand/limits"
)

var errSoon = errors.New("not built yet")

type readings struct{}

// Parse reads a set-up file, YAML or JSON. An error is Faults.
func Parse(name string, data []byte) (*File, error) { return nil, errSoon }

// Join makes one file of several, as if they were one text. An error is Faults.
func Join(files ...*File) (*File, error) { return nil, errSoon }

// PriceAccounts lists the accounts that prices name and that the file does not
// bring itself.
func (f *File) PriceAccounts() []string { return nil }

// Resolve is f with every reference checked against f and what is stored,
// classes filled in, and limits naming their targets by code. f itself stays,
// so that it can be resolved again. An error is Faults.
func (f *File) Resolve(stored Catalogue) (*File, error) { return nil, errSoon }

// Fault is an error at the thing of f with this kind and key, for what only
// the store can refuse.
func (f *File) Fault(kind Kind, key, what string) Fault { return Fault{What: what} }

// NewNames are the names in a catalogue, or what makes one ambiguous.
func NewNames(c Catalogue) (Names, error) { return Names{}, errSoon }

// ParsePatch reads the body of `limits set`, YAML or JSON. An error is Faults.
func ParsePatch(name string, data []byte, names Names) (limits.Patch, error) {
	return limits.Patch{}, errSoon
}

// ParsePeriodicService reads one periodic service. An error is Faults.
func ParsePeriodicService(name string, data []byte) (PeriodicService, error) {
	return PeriodicService{}, errSoon
}

// YAML is f as a set-up file.
func (f *File) YAML() ([]byte, error) { return nil, errSoon }

// JSON is f as a set-up file in JSON.
func (f *File) JSON() ([]byte, error) { return nil, errSoon }
