package api

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"slices"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
)

func (s *Server) registerMoney() {
	kinds := []string{"account-not-found", "changed-meanwhile"}
	lines := func(path, name, summary, description string) endpoint {
		return endpoint{method: http.MethodGet, path: "/v1/accounts/{number}/" + path, name: name, tag: "Accounts", need: access.Read,
			summary: summary, description: description, kinds: []string{"account-not-found"}}
	}
	post := func(path, name, summary, description string) endpoint {
		// The key is that of the posting and stands in the ledger for ever, where the
		// same transaction looks for it: it needs no answer that is kept for a day.
		return endpoint{method: http.MethodPost, path: "/v1/accounts/{number}/" + path, name: name, tag: "Accounts", need: access.Manage, apart: true,
			status: http.StatusCreated, also: map[int]string{http.StatusOK: "The key was used for this very posting: nothing happened now."},
			summary: summary, kinds: append(slices.Clone(kinds), "key-reused"),
			description: description + " The Idempotency-Key holds for the account and for ever: the same key and amount again changes nothing and is " +
				"answered with the first posting, repeated true; another amount is refused. The credit test follows at once."}
	}
	status := func(path, name, summary, description string) endpoint {
		return endpoint{method: http.MethodPost, path: "/v1/accounts/{number}/" + path, name: name, tag: "Accounts", need: access.Manage,
			summary: summary, description: description + " Asking for the status that already is changes nothing, and the answer says so.", kinds: kinds}
	}
	register(s, lines("statement", "getStatement", "The postings of an account",
		"In the order in which they moved its figure. A debit is below zero; balance_after is the balance, of a postpay account the current debt."),
		s.getStatement)
	register(s, lines("history", "getHistory", "The changes of an account's status", "The oldest first, with who made them and why."), s.getHistory)
	register(s, post("payments", "addPayment", "Take a payment", "An account in credit hold that has paid enough is released."), s.addPayment)
	register(s, post("adjustments", "addAdjustment", "Adjust a balance", "In the account's favour, or below zero against it."), s.addAdjustment)
	register(s, status("hold", "holdAccount", "Set the administrative hold",
		"Records that occur from now on are rejected until it is lifted; earlier ones that arrive late are rated."), s.holdAccount)
	register(s, status("release", "releaseAccount", "Lift the administrative hold",
		"The credit test runs at once: with too much debt the account goes over to credit hold, which a payment ends, not a hand."), s.releaseAccount)
}

// spanned is which lines of an account are asked for.
type spanned struct {
	Numbered
	Paged
	From instant `query:"from" doc:"Posted from this time on."`
	To   instant `query:"to" doc:"Posted before this time."`
}

func (s *Server) getStatement(ctx context.Context, in *spanned) (*pageAnswer[*postgres.StatementLine], error) {
	return linesOf(ctx, in, s.Store.Statement, func(l *postgres.StatementLine) any { return seqKey{l.Seq} })
}

func (s *Server) getHistory(ctx context.Context, in *spanned) (*pageAnswer[*postgres.HistoryLine], error) {
	return linesOf(ctx, in, s.Store.History, func(l *postgres.HistoryLine) any { return seqKey{l.Seq} })
}

// linesOf is a page of the lines that read answers of an account.
func linesOf[T any](ctx context.Context, in *spanned, read func(context.Context, string, postgres.Span) iter.Seq2[*T, error],
	keyOf func(*T) any,
) (*pageAnswer[*T], error) {
	var key seqKey
	if err := in.after(&key); err != nil {
		return nil, err
	}
	var found []*T
	for l, err := range read(ctx, in.Number, postgres.Span{From: in.From.time, To: in.To.time, After: key.Seq, Most: in.Limit + 1}) {
		if err != nil {
			return nil, err
		}
		found = append(found, l)
	}
	return page(&in.Paged, found, keyOf)
}

// Posted is the header of a posting, which must have a key.
type Posted struct {
	Numbered
	Conditional
	Key string `header:"Idempotency-Key" required:"true" minLength:"1" maxLength:"256" doc:"Key of the posting: makes it happen once." example:"invoice-17"`
}

type payment struct {
	Posted
	Body struct {
		Amount decimalText `json:"amount" doc:"What was paid, in the account's currency: above zero."`
		Note   string      `json:"note,omitempty" maxLength:"8192" doc:"What it was for." example:"cash"`
		At     instant     `json:"at,omitempty" doc:"Act as if it were this time. Else it is now."`
	} `nameHint:"Payment"`
}

type adjustment struct {
	Posted
	Body struct {
		Amount decimalText `json:"amount" doc:"By how much: above zero in the account's favour, below zero against it."`
		Note   string      `json:"note" minLength:"1" maxLength:"8192" pattern:"\\S" doc:"Why." example:"charged at the wrong pump"`
		At     instant     `json:"at,omitempty" doc:"Act as if it were this time. Else it is now."`
	} `nameHint:"Adjustment"`
}

type postingAnswer struct {
	Status   int
	Location string `header:"Location" doc:"Where it is listed."`
	Replayed string `header:"Idempotency-Replayed" doc:"true, where the key was used before."`
	Body     *postgres.PostingAnswer
}

func (s *Server) addPayment(ctx context.Context, in *payment) (*postingAnswer, error) {
	return s.post(ctx, &in.Posted, in.Body.Amount, in.Body.At, postgres.Posting{Kind: billing.PaymentPosting, Note: in.Body.Note})
}

func (s *Server) addAdjustment(ctx context.Context, in *adjustment) (*postingAnswer, error) {
	return s.post(ctx, &in.Posted, in.Body.Amount, in.Body.At, postgres.Posting{Kind: billing.AdjustmentPosting, Note: in.Body.Note})
}

func (s *Server) post(ctx context.Context, in *Posted, amount decimalText, at instant, p postgres.Posting) (*postingAnswer, error) {
	var err error
	if p.Amount, err = amount.money("/amount"); err != nil {
		return nil, err
	}
	ctx, p.Actor = by(ctx, p.Note)
	p.Account, p.Key, p.If, p.At = in.Number, in.Key, in.revisions(accountTags), s.now(at)
	done, err := s.Store.Post(ctx, p)
	switch {
	case errors.Is(err, postgres.ErrKeyUsed):
		return nil, problem("key-reused", err.Error(), Fault{Parameter: keyHeader, Detail: err.Error()})
	case err != nil:
		return nil, err
	case done.Repeated:
		return &postingAnswer{Status: http.StatusOK, Replayed: "true", Body: done}, nil
	}
	return &postingAnswer{Status: http.StatusCreated, Location: accountPath(in.Number) + "/statement", Body: done}, nil
}

type statusChange struct {
	Numbered
	Keyed
	Conditional
	Body struct {
		Note string  `json:"note" minLength:"1" maxLength:"8192" pattern:"\\S" doc:"Why." example:"card reported stolen"`
		At   instant `json:"at,omitempty" doc:"Act as if it were this time. Else it is now."`
	} `nameHint:"StatusChange"`
}

type statusAnswer struct{ Body *postgres.StatusAnswer }

func (s *Server) holdAccount(ctx context.Context, in *statusChange) (*statusAnswer, error) {
	return s.setStatus(ctx, in.request(s, postgres.HoldAccount))
}

func (s *Server) releaseAccount(ctx context.Context, in *statusChange) (*statusAnswer, error) {
	return s.setStatus(ctx, in.request(s, postgres.ReleaseAccount))
}

func (in *statusChange) request(s *Server, action postgres.StatusAction) postgres.StatusRequest {
	return postgres.StatusRequest{Account: in.Number, Action: action, Note: in.Body.Note, If: in.revisions(accountTags), At: s.now(in.Body.At)}
}

func (s *Server) setStatus(ctx context.Context, r postgres.StatusRequest) (*statusAnswer, error) {
	ctx, r.Actor = by(ctx, r.Note)
	done, err := s.Store.SetStatus(ctx, r)
	return &statusAnswer{done}, err
}
