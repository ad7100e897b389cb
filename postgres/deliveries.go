package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Delivery is a notice on its way to a webhook.
type Delivery struct {
	Account string
	Seq     int64
	Webhook string // its address
	Tries   int    // made so far
	Body    string // a CloudEvent, as it is sent
}

// ID is the notice's id: the same at every try and every webhook.
func (d *Delivery) ID() uuid.UUID { return NoticeID(d.Account, d.Seq) }

// handOut makes a delivery of each new notice for each webhook. The update comes
// first and locks: of two that hand out at once the second finds nothing.
const handOut = `
	with   fresh as (
	       update    notices n
	       set       handed_out_at = @now
	       from      (select   account, seq
	                  from     notices
	                  where    handed_out_at is null
	                  order by written_at
	                  limit    @most) f
	       where     n.account = f.account
	       and       n.seq     = f.seq
	       and       n.handed_out_at is null
	       returning n.account, n.seq)
	insert into deliveries (account, seq, webhook, due_at)
	select f.account, f.seq, w.webhook, @now
	from   fresh f
	cross join unnest(@webhooks::text[]) as w (webhook)`

// HandOut makes deliveries of notices that nobody was told of yet, at most so
// many notices, and answers how many deliveries it made.
func (s *Store) HandOut(ctx context.Context, now time.Time, webhooks []string, most int) (n int, err error) {
	if len(webhooks) == 0 {
		return 0, nil
	}
	err = s.again(ctx, func() error {
		tag, err := s.pool.Exec(ctx, handOut, pgx.NamedArgs{"now": now, "webhooks": webhooks, "most": most})
		n = int(tag.RowsAffected())
		return err
	})
	return n, wrap(err, "hand notices out")
}

const dueDeliveries = `
	select   d.account, d.seq, d.webhook, d.tries, n.body
	from     deliveries d
	join     notices    n
	on       n.account = d.account
	and      n.seq     = d.seq
	where    d.webhook = @webhook
	and      d.due_at <= @now
	order by d.due_at
	limit    @most`

// DueDeliveries lists what a webhook is to be sent now, oldest first.
func (s *Store) DueDeliveries(ctx context.Context, now time.Time, webhook string, most int) ([]Delivery, error) {
	found, err := collect(ctx, s.pool, dueDeliveries, func(r pgx.CollectableRow) (d Delivery, err error) {
		err = r.Scan(&d.Account, &d.Seq, &d.Webhook, &d.Tries, &d.Body)
		return d, err
	}, pgx.NamedArgs{"now": now, "webhook": webhook, "most": most})
	return found, wrap(err, "look for notices that are due at %s", webhook)
}

// Tried is what came of a try to deliver.
type Tried struct {
	Delivery
	At    time.Time
	Fault string     // empty: the webhook took it
	Again *time.Time // when to try again; nil: never
}

const (
	takeDelivered = `
	delete from deliveries
	where  account = @account
	and    seq     = @seq
	and    webhook = @webhook`

	keepTried = `
	update deliveries
	set    tries    = @tries,
	       tried_at = @at,
	       due_at   = @again,
	       fault    = @fault
	where  account = @account
	and    seq     = @seq
	and    webhook = @webhook`
)

// KeepTries notes what came of tries.
func (s *Store) KeepTries(ctx context.Context, tries []Tried) error {
	var b pgx.Batch
	for _, t := range tries {
		args := pgx.NamedArgs{"account": t.Account, "seq": t.Seq, "webhook": t.Webhook, "tries": t.Tries + 1, "at": t.At,
			"again": t.Again, "fault": keepable(t.Fault)}
		if t.Fault == "" {
			b.Queue(takeDelivered, args)
		} else {
			b.Queue(keepTried, args)
		}
	}
	return wrap(s.pool.SendBatch(ctx, &b).Close(), "note which notices were delivered")
}

// DeadNotice is a notice that a webhook did not take until the last try.
type DeadNotice struct {
	ID      uuid.UUID `json:"id"`
	Webhook string    `json:"webhook"`
	Account string    `json:"account"`
	Tries   int       `json:"tries"`
	TriedAt time.Time `json:"tried_at"`
	Fault   string    `json:"fault"`
	Body    string    `json:"notice"`
}

const deadNotices = `
	select   d.account, d.seq, d.webhook, d.tries, d.tried_at, d.fault, n.body
	from     deliveries d
	join     notices    n
	on       n.account = d.account
	and      n.seq     = d.seq
	where    d.due_at is null
	order by d.tried_at, d.account, d.seq, d.webhook`

// DeadNotices hands over the notices that were given up, oldest first.
func (s *Store) DeadNotices(ctx context.Context, each func(*DeadNotice) error) error {
	rows, err := s.pool.Query(ctx, deadNotices)
	if err != nil {
		return fmt.Errorf("list dead notices: %w", err)
	}
	var (
		d   DeadNotice
		seq int64
	)
	_, err = pgx.ForEachRow(rows, []any{&d.Account, &seq, &d.Webhook, &d.Tries, &d.TriedAt, &d.Fault, &d.Body}, func() error {
		d.ID, d.TriedAt = NoticeID(d.Account, seq), d.TriedAt.UTC()
		return each(&d)
	})
	return wrap(err, "list dead notices")
}

// DeadNoticeFilter chooses dead notices; what is empty chooses all.
type DeadNoticeFilter struct{ Webhook, Account string }

func (f DeadNoticeFilter) args() pgx.NamedArgs {
	return pgx.NamedArgs{"webhook": f.Webhook, "account": f.Account}
}

const (
	deadChosen = `
	where due_at is null
	and   (webhook = @webhook or @webhook = '')
	and   (account = @account or @account = '')`

	replayDead = `
	update deliveries
	set    due_at = @now,
	       tries  = 0 ` + deadChosen

	discardDead = `
	delete from deliveries ` + deadChosen
)

// ReplayNotices makes dead notices due again, with all their tries.
func (s *Store) ReplayNotices(ctx context.Context, now time.Time, f DeadNoticeFilter) (n int, err error) {
	args := f.args()
	args["now"] = now
	rows, err := s.settle(ctx, now, replayDead, args)
	return int(rows), wrap(err, "replay dead notices")
}

// DiscardNotices gives dead notices up for good.
func (s *Store) DiscardNotices(ctx context.Context, now time.Time, f DeadNoticeFilter) (n int, err error) {
	rows, err := s.settle(ctx, now, discardDead, f.args())
	return int(rows), wrap(err, "discard dead notices")
}

const (
	// What a webhook that is not configured any more never got.
	forgetOrphans = `
	delete from deliveries d
	using  notices n
	where  n.account = d.account
	and    n.seq     = d.seq
	and    n.written_at < now() - @keep::interval
	and    d.webhook <> all(@webhooks::text[])`

	forgetNotices = `
	delete from notices n
	where  n.written_at < now() - @keep::interval
	and    not exists (
	       select from deliveries d
	       where  d.account = n.account
	       and    d.seq     = n.seq)`
)

// ForgetNotices takes notices away that are older than keep, by the database's
// clock: delivered ones, and those that nobody wanted. Dead ones stay while their
// webhook is one of those given.
func (s *Store) ForgetNotices(ctx context.Context, keep time.Duration, webhooks []string) (n int, err error) {
	if webhooks == nil {
		webhooks = []string{} // null would be equal to none
	}
	args := pgx.NamedArgs{"keep": keep, "webhooks": webhooks}
	var b pgx.Batch
	b.Queue(forgetOrphans, args)
	b.Queue(forgetNotices, args).Exec(func(tag pgconnTag) error {
		n = int(tag.RowsAffected())
		return nil
	})
	return n, wrap(s.pool.SendBatch(ctx, &b).Close(), "forget old notices")
}
