package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/jackc/pgx/v5"
)

// ReplacedJudgement is a judgement that a cancel or a re-rate replaced: what it
// was, and when, by whom and why it ended (SPEC R8.1).
type ReplacedJudgement struct {
	Outcome     billing.Outcome `json:"outcome"`
	Reason      *billing.Reason `json:"reason"`
	Charge      *billing.Money  `json:"charge"`
	RatedAt     time.Time       `json:"rated_at"`
	Explanation Explanation     `json:"explanation"`
	EndedAt     time.Time       `json:"ended_at"`
	Actor       string          `json:"actor"`
	Note        string          `json:"note"`
}

// RecordKey names the records that a feed gave one id: of one account, or where
// Account is empty of every account that has such a record.
type RecordKey struct{ Source, ID, Account string }

// The accounts of the records are found by jumping from one to the next in the
// key: a walk over the accounts, not over the records. An index on source and
// id would cost every batch a third of its speed (DESIGN §3).
const recordsOfID = `
	with recursive numbers (account) as (
	       (select account from records where account = @account::text or @account::text is null order by account limit 1)
	       union all
	       select (select r.account from records r where r.account > n.account order by r.account limit 1)
	       from   numbers n
	       where  n.account is not null
	       and    @account::text is null)
	select ` + recordColumns + `,
	       a.number is not null, coalesce(a.currency, ''), coalesce(a.class, '')
	from   numbers n
	join   records r
	on     r.account = n.account
	and    r.source  = @source
	and    r.id      = @id ` + withOriginal + `
	left join accounts a on a.number = r.account
	order by r.account`

// Record answers every record that bears a source and an id, with all of its
// judgements. Usually that is one; none is no error.
func (s *Store) Record(ctx context.Context, k RecordKey) (found []*RecordView, err error) {
	err = s.view(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, probes); err != nil {
			return err
		}
		args := pgx.NamedArgs{"account": nullText(k.Account), "source": k.Source, "id": k.ID}
		if err := eachRecord(ctx, tx, recordsOfID, args, func(v *RecordView) bool {
			found = append(found, v)
			return true
		}); err != nil {
			return err
		}
		for _, v := range found {
			if v.Judgements, err = replacedJudgements(ctx, tx, v); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("show record %s/%s: %w", k.Source, k.ID, err)
	}
	return found, nil
}

const recordsNamed = `
	select   r.account, r.source, r.id
	from     unnest(@accounts::text[], @sources::text[], @ids::text[]) as n (account, source, id)
	join     records r
	on       r.account = n.account
	and      r.source  = n.source
	and      r.id      = n.id
	order by r.account, r.source, r.id`

// RecordsNamed answers the records that a name like ACCOUNT/SOURCE/ID may mean.
// Each part may have slashes of its own, as the source of a CloudEvent has them:
// only the records that there are tell where to cut. Usually it is one.
func (s *Store) RecordsNamed(ctx context.Context, name string) (found []billing.Identity, err error) {
	accounts, sources, ids := cuts(name)
	err = s.view(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, probes); err != nil {
			return err
		}
		found, err = collect(ctx, tx, recordsNamed, func(r pgx.CollectableRow) (id billing.Identity, err error) {
			err = r.Scan(&id.Account, &id.Source, &id.ID)
			return id, err
		}, pgx.NamedArgs{"accounts": accounts, "sources": sources, "ids": ids})
		return err
	})
	return found, wrap(err, "look up record %s", name)
}

// cuts are all ways to cut a name in three at its slashes, none of them empty
// and none longer than a record takes.
func cuts(name string) (accounts, sources, ids []string) {
	for i := range name {
		if name[i] != '/' || i == 0 || i > keyMax {
			continue
		}
		rest := name[i+1:]
		for k := range rest {
			id := len(rest) - k - 1
			if rest[k] == '/' && k > 0 && k <= keyMax && id > 0 && id <= keyMax {
				accounts, sources, ids = append(accounts, name[:i]), append(sources, rest[:k]), append(ids, rest[k+1:])
			}
		}
	}
	return accounts, sources, ids
}

const judgementsOfRecord = `
	select r.account, r.source, r.id, r.arrival, r.batch, r.service, r.quantity, r.occurred_at, r.directive, r.amount,
	       r.original_id, j.seq, j.outcome, j.reason, j.charge, j.price, j.band, j.placement, j.trace,
	       j.rated_at, o.service, o.occurred_at, o.directive, o.amount, o.outcome, o.placement,
	       a.number is not null, coalesce(a.currency, ''), coalesce(a.class, ''), j.ended_at, j.actor, j.note
	from   judgements j
	join   records r
	on     r.account = j.account
	and    r.source  = j.source
	and    r.id      = j.id ` + withOriginal + `
	left join accounts a on a.number = r.account
	where  j.account = @account
	and    j.source  = @source
	and    j.id      = @id
	order by j.seq`

// replacedRecord is a record with a judgement that is no longer in force.
type replacedRecord struct {
	foundRecord
	endedAt     time.Time
	actor, note string
}

func scanReplaced(row *rawRow, r *replacedRecord) {
	scanFound(row, &r.foundRecord)
	r.endedAt, r.actor, r.note = row.time(), row.text(), row.text()
}

func replacedJudgements(ctx context.Context, tx pgx.Tx, v *RecordView) (all []ReplacedJudgement, err error) {
	x, err := newExplainer(ctx, tx)
	if err != nil {
		return nil, err
	}
	args := pgx.NamedArgs{"account": v.Account, "source": v.Source, "id": v.ID}
	records, err := queryRaw(ctx, tx, judgementsOfRecord, args, nil, scanReplaced)
	if err != nil {
		return nil, err
	}
	if err := loadFor(ctx, x, tx, records, func(r *replacedRecord) *StoredRecord { return &r.StoredRecord }); err != nil {
		return nil, err
	}
	for i := range records {
		r := &records[i]
		j := &r.Judged
		all = append(all, ReplacedJudgement{
			Outcome: j.Outcome, Reason: j.reasonOrNil(), Charge: j.chargeOrNil(), RatedAt: j.RatedAt,
			Explanation: Explain(&r.StoredRecord, x.basisOf(&r.foundRecord)),
			EndedAt:     r.endedAt, Actor: r.actor, Note: r.note,
		})
	}
	return all, nil
}
