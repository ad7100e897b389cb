package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
	"github.com/google/uuid"
)

// Clock tells the time. It is asked once per transaction (SPEC R2.7).
type Clock func() time.Time

// flow takes groups of batches of one shard through read, judge and write. It
// belongs to the shard's owner.
type flow struct {
	store    *postgres.Store
	clock    Clock
	settings Settings
	snapshot *postgres.Snapshot
	cache    cache
	// place is behind the last record that was judged. An account that does not
	// exist has no place of its own to go on from, and its records are to be in
	// the order in which they came, should it come to be.
	place int64
}

// judgedMax bounds how often a batch is judged again because something changed
// meanwhile. Losing this often in a row takes a writer that is as fast as one
// batch; then it is left to the caller to wait a little.
const judgedMax = 20

// groupJudgedMax is how often a group of several is. The more accounts are at
// work and the longer, the surer one of them is paid meanwhile: then half of them
// is tried, which is half as long at work with half as many.
const groupJudgedMax = 3

// judgeTime bounds one attempt to read, judge and write. The largest group takes
// seconds; a connection that leads nowhere any more would be waited for until the
// kernel gives it up.
const judgeTime = 5 * time.Minute

// batch is a batch at work, with what in it could not be read.
type batch struct {
	billing.Batch
	unreadable []postgres.DeadLetter
}

// commit judges and writes a group of batches, in one transaction, or in several
// where others change its accounts all the time. Batches that are done already
// are left out.
func (f *flow) commit(ctx context.Context, group []batch) (postgres.Outcomes, error) {
	tries := judgedMax
	if len(group) > 1 {
		tries = groupJudgedMax
	}
	var err error
	for range tries {
		var out postgres.Outcomes
		out, err = f.once(ctx, group)
		if !errors.Is(err, postgres.ErrStale) {
			return out, err
		}
	}
	if len(group) > 1 {
		return f.halves(ctx, group)
	}
	return postgres.Outcomes{}, fmt.Errorf("judged %d times: %w", tries, err)
}

// halves commits a group in two parts, in its order.
func (f *flow) halves(ctx context.Context, group []batch) (postgres.Outcomes, error) {
	first, err := f.commit(ctx, group[:len(group)/2])
	if err != nil {
		return first, err
	}
	second, err := f.commit(ctx, group[len(group)/2:])
	return first.Add(second), err
}

func (f *flow) once(ctx context.Context, group []batch) (postgres.Outcomes, error) {
	ctx, cancel := context.WithTimeout(ctx, judgeTime)
	defer cancel()
	s, batches, err := f.read(ctx, group)
	if err != nil || len(batches) == 0 {
		return postgres.Outcomes{}, err
	}
	c := Judge(s, batches)
	addUnreadable(c, group)
	if err := f.store.Commit(ctx, c); err != nil {
		// What was judged is not what is there; and the judgement worked on the
		// cached states themselves.
		f.cache.forget(s.Accounts)
		return postgres.Outcomes{}, err
	}
	for i := range c.Moved {
		c.Moved[i].Version++
	}
	f.place = s.Place + int64(len(c.Judgements))
	f.snapshot.MarkRated(c.RatedBy)
	f.cache.keep(s.Accounts)
	var sum postgres.Outcomes
	for i := range c.Batches {
		sum = sum.Add(c.Batches[i].Outcomes)
	}
	return sum, nil
}

func addUnreadable(c *postgres.Commit, group []batch) {
	of := make(map[uuid.UUID][]postgres.DeadLetter, len(group))
	for i := range group {
		of[group[i].ID] = group[i].unreadable
	}
	for i := range c.Batches {
		letters := of[c.Batches[i].ID]
		c.Batches[i].Unreadable = len(letters)
		c.DeadLetters = append(c.DeadLetters, letters...)
	}
}

// read gathers what judging the group needs, and the batches that are not done.
func (f *flow) read(ctx context.Context, group []batch) (*State, []billing.Batch, error) {
	q, cached := f.question(group)
	a, err := f.store.Read(ctx, q)
	if err != nil {
		return nil, nil, err
	}
	if err := f.renew(ctx, a.Version); err != nil {
		return nil, nil, err
	}
	s := &State{Now: f.clock().UTC().Truncate(time.Microsecond), Settings: f.settings, Snapshot: f.snapshot,
		Accounts: cached, Known: a.Known}
	s.Place = max(f.place, s.Now.UnixMicro())
	for number, found := range a.Accounts {
		s.Accounts[number] = newAccount(found, f.snapshot)
	}
	var batches []billing.Batch
	for i := range group {
		if !a.Done[group[i].ID] {
			batches = append(batches, group[i].Batch)
		}
	}
	if need := closedWindows(s, batches); len(need) > 0 {
		if s.Closed, err = f.store.ReadClosed(ctx, need); err != nil {
			return nil, nil, err
		}
	}
	return s, batches, nil
}

// question asks for the identities of the group, and for the accounts that are
// not cached, or not as they are now.
func (f *flow) question(group []batch) (q postgres.Question, cached map[string]*account) {
	n := 0
	for i := range group {
		n += len(group[i].Records)
		q.Batches = append(q.Batches, group[i].ID)
	}
	q.Identities = make([]billing.Identity, 0, n)
	cached = make(map[string]*account, n/8)
	for i := range group {
		for k := range group[i].Records {
			r := &group[i].Records[k]
			q.Identities = append(q.Identities, r.Identity())
			if r.Directive == billing.Credit {
				original := billing.Identity{Account: r.Account, Source: r.Source, ID: r.OriginalID}
				q.Identities = append(q.Identities, original)
				q.Originals = append(q.Originals, original)
			}
			if _, asked := cached[r.Account]; asked {
				continue
			}
			a := f.cache.find(r.Account)
			cached[r.Account] = a // nil: asked for, not found yet
			q.Accounts = append(q.Accounts, r.Account)
			var version int64
			if a != nil {
				version = a.Version
			}
			q.Versions = append(q.Versions, version)
		}
	}
	return q, cached
}

// renew takes the settings of a version over. What a cached account has compiled
// from the old ones need not be looked for: whoever changes the terms of a class
// raises the version of each of its accounts, and these are read anew.
func (f *flow) renew(ctx context.Context, version int64) error {
	if f.snapshot != nil && f.snapshot.Version == version {
		return nil
	}
	s, err := f.store.Snapshot(ctx)
	if err != nil {
		return err
	}
	f.snapshot = s
	return nil
}

// cache keeps account states between groups. It is only speed: a state that has
// changed elsewhere fails its guard and is forgotten.
type cache struct {
	most     int // 0: nothing is kept
	accounts map[string]*account
}

func (c *cache) find(number string) *account { return c.accounts[number] }

func (c *cache) forget(accounts map[string]*account) {
	for number := range accounts {
		delete(c.accounts, number)
	}
}

// keep takes states over. When there are too many, any others make room: which
// ones matters little where most accounts of a shard come again soon.
func (c *cache) keep(accounts map[string]*account) {
	if c.most <= 0 {
		return
	}
	if c.accounts == nil {
		c.accounts = make(map[string]*account, len(accounts))
	}
	for number := range c.accounts {
		if len(c.accounts)+len(accounts) <= c.most {
			break
		}
		delete(c.accounts, number)
	}
	for number, a := range accounts {
		if a != nil && len(c.accounts) < c.most {
			c.accounts[number] = a
		}
	}
}
