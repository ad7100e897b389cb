package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/configs"
	"github.com/chargehand/chargehand/setup"
)

// demoShares is how often each account of configs/demo.yaml is dealt out, and
// how much one of its copies uses; the others are dealt out once.
var demoShares = map[string]struct{ copies, usage int }{
	"ACR0000001526": {copies: 40, usage: 60}, // a telephone
	"ACR0000002001": {copies: 20, usage: 45}, // a student's
	"ACR0000003001": {copies: 15, usage: 6},  // a lorry
	"ACR0000003002": {copies: 5, usage: 3},   // a car in Kuwait
	"ACR0000004001": {copies: 10, usage: 60}, // a cloud customer
	"ACR0000004002": {copies: 4, usage: 25},  // a small one, with a low credit limit
	"ACR0000005001": {copies: 6, usage: 8},   // a car in Tokyo
}

// demoAccount is an account of the demo as its feed needs it.
type demoAccount struct {
	number   string
	services []string
	usage    int
}

// demoPlanDays is how long ago the periodic services began, whatever their dates
// in the file: those go by, and with ever more periods to charge at once nearly
// everybody would be on credit hold.
const demoPlanDays = 20

// demoSetup is configs/demo.yaml with its accounts dealt out to as many as are
// asked for, and what the feed needs of them.
func demoSetup(accounts int, now time.Time) (*setup.File, []demoAccount, error) {
	book, err := setup.Parse("configs/demo.yaml", configs.Demo)
	if err != nil {
		return nil, nil, err
	}
	var kinds []setup.Account // each as often as its share is
	var all []demoAccount
	for _, c := range book.Customers {
		for _, a := range c.Accounts {
			for i := range a.PeriodicServices {
				a.PeriodicServices[i].StartsOn = billing.DateOf(now.UTC().Date()) - demoPlanDays
			}
			kinds = append(kinds, slices.Repeat([]setup.Account{a}, max(1, demoShares[a.Number].copies))...)
			all = append(all, demoAccountOf(a, a.Number))
		}
	}
	dealt := &setup.File{}
	for i := len(all); i < accounts; i++ {
		a := kinds[i*demoStride%len(kinds)]
		kind := a.Number
		a.Number = fmt.Sprintf("DEMO%06d", i)
		dealt.Customers = append(dealt.Customers, setup.Customer{Ref: fmt.Sprintf("demo-%06d", i), Accounts: []setup.Account{a}})
		all = append(all, demoAccountOf(a, kind))
	}
	whole, err := setup.Join(book, dealt)
	return whole, all[:min(len(all), max(accounts, 1))], err
}

// demoStride deals the kinds out mixed: it shares no factor with their number.
const demoStride = 37

func demoAccountOf(a setup.Account, kind string) demoAccount {
	return demoAccount{number: a.Number, services: a.Services, usage: max(1, demoShares[kind].usage)}
}
