package postgres

import (
	"fmt"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// The types of notices: what a receiver tells them apart by.
const (
	statusChangedNotice = "account.status_changed.v1"
	skippedNotice       = "periodic.skipped.v1"
	uncoveredNotice     = "periodic.uncovered.v1"
)

// notice is what others are told of a line of an account. It is written in the
// transaction that writes the line, so that neither stands without the other.
type notice struct {
	account string
	seq     int64 // of the line
	at      time.Time
	kind    string // its type
	data    any
}

// event is a notice as a CloudEvent 1.0 (structured JSON).
type event struct {
	SpecVersion string    `json:"specversion"`
	ID          uuid.UUID `json:"id"`
	Source      string    `json:"source"`
	Type        string    `json:"type"`
	Subject     string    `json:"subject"` // number of the account
	Time        time.Time `json:"time"`
	ContentType string    `json:"datacontenttype"`
	Sequence    string    `json:"sequence"` // rises within an account: notices may come out of order
	Data        any       `json:"data"`
}

// noticeSpace is where ids of notices come from: the id of a line's notice is
// always the same, so a receiver knows one that comes twice.
var noticeSpace = uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://github.com/chargehand/chargehand/notices"))

// NoticeID is the id of the notice of an account's line.
func NoticeID(account string, seq int64) uuid.UUID {
	return uuid.NewSHA1(noticeSpace, fmt.Appendf(nil, "%d %s", seq, account))
}

func (n *notice) body() string {
	return text(event{
		SpecVersion: "1.0", ID: NoticeID(n.account, n.seq), Source: "chargehand", Type: n.kind, Subject: n.account,
		Time: n.at, ContentType: "application/json", Sequence: fmt.Sprintf("%020d", n.seq), Data: n.data,
	})
}

// statusChanged is the data of a change of status.
type statusChanged struct {
	Account   string                `json:"account"`
	From      billing.Status        `json:"from"`
	To        billing.Status        `json:"to"`
	Reason    *billing.StatusReason `json:"status_reason"`
	Note      string                `json:"note"`
	Balance   billing.Money         `json:"balance"`
	Threshold billing.Money         `json:"threshold"`
	Actor     string                `json:"actor"`
}

func (c *StatusChange) notice() notice {
	data := statusChanged{Account: c.Account, From: c.From, To: c.To, Note: c.Note, Balance: c.Balance,
		Threshold: c.Threshold, Actor: c.Actor}
	if c.Reason != 0 {
		data.Reason = &c.Reason
	}
	return notice{account: c.Account, seq: c.Seq, at: c.At, kind: statusChangedNotice, data: data}
}

const insertNotices = `
	insert into notices (account, seq, body)
	select account, seq, body
	from   unnest(@accounts::text[], @seqs::bigint[], @bodies::text[]) as n (account, seq, body)`

func queueNotices(b *pgx.Batch, notices ...notice) {
	if len(notices) == 0 {
		return
	}
	accounts, seqs, bodies := make([]string, len(notices)), make([]int64, len(notices)), make([]string, len(notices))
	for i := range notices {
		accounts[i], seqs[i], bodies[i] = notices[i].account, notices[i].seq, notices[i].body()
	}
	b.Queue(insertNotices, pgx.NamedArgs{"accounts": accounts, "seqs": seqs, "bodies": bodies})
}
