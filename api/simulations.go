package api

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"reflect"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/setup"
	"github.com/chargehand/chargehand/worker"
	"github.com/danielgtaylor/huma/v2"
)

type simulationRequest struct {
	Accept string `header:"Accept" hidden:"true"`
	Body   simulationBody
}

// simulationBody is what is tried out, and on which records.
type simulationBody struct {
	Setup    setupText `json:"setup" doc:"A set-up with changed prices, class terms or limits."`
	From     instant   `json:"from,omitempty" doc:"Judge the records that occurred from this time on."`
	To       instant   `json:"to,omitempty" doc:"And before this time."`
	Account  string    `json:"account,omitempty" maxLength:"256" doc:"Only this account." example:"ACR0000001526"`
	Service  string    `json:"service,omitempty" maxLength:"256" doc:"Only records of a service." example:"Exxon Unleaded"`
	Rejected bool      `json:"rejected,omitempty" doc:"Rejected records too, not only those that are rated."`
	Every    bool      `json:"every,omitempty" doc:"List every account, not only those for which something changes."`
	Limit    int       `json:"limit,omitempty" minimum:"0" maximum:"1000" doc:"How many accounts are listed at most; 100 unless told. The sums are of all. As lines, all are listed."`
}

// simulationAnswer is the sums, and the first of the accounts.
type simulationAnswer struct {
	Accounts []*worker.SimulatedAccount `json:"accounts" nullable:"false" doc:"The first accounts, in the order of their numbers."`
	Total    *worker.SimulatedTotal     `json:"total"`
	Renewed  []string                   `json:"renewed_prices" nullable:"false" doc:"Prices that have rated records: apply will refuse to change them, so they are taken as voided with another in their place."`
	More     bool                       `json:"more" doc:"Whether there are accounts beyond those that are listed."`
}

// simulationEnd is the last line that simulate prints.
type simulationEnd struct {
	Total   *worker.SimulatedTotal `json:"total"`
	Renewed []string               `json:"renewed_prices" nullable:"false" doc:"Prices that have rated records: apply will refuse to change them, so they are taken as voided with another in their place."`
}

// simulationLine is a line of the answer: an account, or at the end the sums.
type simulationLine struct{}

// Schema is how OpenAPI describes it.
func (simulationLine) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{AnyOf: []*huma.Schema{
		r.Schema(reflect.TypeFor[worker.SimulatedAccount](), true, ""), r.Schema(reflect.TypeFor[simulationEnd](), true, ""),
	}}
}

// simulationsAtOnce is how many may run: each reads all that its span names.
const simulationsAtOnce = 2

func (s *Server) registerSimulations() {
	s.simulations = make(places, simulationsAtOnce)
	register(s, endpoint{
		method: http.MethodPost, path: "/v1/simulations", name: "simulate", tag: "Price book", need: access.Read, whole: true, asks: true, long: true, status: http.StatusOK,
		summary: "Try a set-up out",
		description: "Writes nothing: says what applying the set-up and rating these records again would make of charges and outcomes, and whom the credit " +
			"test would hold or free. With `Accept: application/x-ndjson` every account that changes comes as a line of JSON as it is found, and the sums " +
			"at the end. Two may run at once.",
		kinds: []string{"busy", "too-large"}, gives: []form{{asJSON, simulationAnswer{}}, {asNDJSON, simulationLine{}}},
	}, s.simulate)
}

func (s *Server) simulate(ctx context.Context, in *simulationRequest) (*huma.StreamResponse, error) {
	leave, err := s.simulations.take("simulations")
	if err != nil {
		return nil, err
	}
	imagined, err := s.imagine(ctx, in.Body.Setup)
	if err != nil {
		leave()
		return nil, err
	}
	rows := s.simulated(ctx, imagined, &in.Body)
	if preferred(in.Accept, asJSON, asNDJSON) == asNDJSON {
		return lines(rows, leave)
	}
	defer leave()
	answer := simulationAnswer{Accounts: []*worker.SimulatedAccount{}}
	for row, err := range rows {
		if err != nil {
			return nil, err
		}
		switch row := row.(type) {
		case *worker.SimulatedAccount:
			if answer.More = len(answer.Accounts) == in.Body.limit(); !answer.More {
				answer.Accounts = append(answer.Accounts, row)
			}
		case simulationEnd:
			answer.Total, answer.Renewed = row.Total, row.Renewed
		}
	}
	return whole(answer), nil
}

// limit is how many accounts an answer lists.
func (b *simulationBody) limit() int {
	if b.Limit == 0 {
		return 100
	}
	return b.Limit
}

// imagine tries a set-up out; its faults stand where the body has it.
func (s *Server) imagine(ctx context.Context, text []byte) (imagined *postgres.Imagined, err error) {
	file, err := setup.Parse("", text)
	if err == nil {
		imagined, err = s.Store.Imagine(ctx, file, s.applyOptions(ctx, true, nil))
	}
	var faults setup.Faults
	if errors.As(err, &faults) {
		for i := range faults {
			faults[i].Pointer = "/setup" + faults[i].Pointer
		}
	}
	return imagined, err
}

// simulated is the accounts of a simulation, and at the end its sums.
func (s *Server) simulated(ctx context.Context, imagined *postgres.Imagined, b *simulationBody) iter.Seq2[any, error] {
	errLeft := errors.New("nobody wants more")
	return func(yield func(any, error) bool) {
		total, err := s.Corrector.Simulate(ctx, worker.Simulation{
			Imagined: imagined, Clock: s.Clock,
			Filter: postgres.CorrectionFilter{Account: b.Account, Service: b.Service, From: b.From.time, To: b.To.time, Rejected: b.Rejected},
			Each: func(a *worker.SimulatedAccount) error {
				if (b.Every || !a.Unchanged()) && !yield(a, nil) {
					return errLeft
				}
				return nil
			},
		})
		switch {
		case errors.Is(err, errLeft):
		case err != nil:
			yield(nil, err)
		default:
			renewed := imagined.Renewed
			if renewed == nil {
				renewed = []string{}
			}
			yield(simulationEnd{total, renewed}, nil)
		}
	}
}
