// Package e2e drives the built binary the way its users do: by commands, files
// and signals, against real servers, and looks only at what it prints.
//
// It owns no code of the product and knows none: of our packages it imports
// internal/devstack alone, which starts the servers. What is right is worked out
// here a second time by other code (oracle_test.go), in whole numbers and
// fractions of math/big, so that one mistake cannot hide another.
//
// Its one invariant: nothing here is true because the product says so. A run is
// over when verify finds nothing and when what the product tells is what the
// input makes it be.
package e2e
