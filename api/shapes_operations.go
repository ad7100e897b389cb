package api

import "time"

// deadLetterShape is something that a person must look at.
type deadLetterShape struct {
	ID      string    `json:"id" format:"uuid" doc:"Its id." example:"019a1b2c-3d4e-7f00-8a9b-0c1d2e3f4a5b"`
	Kind    string    `json:"kind" enum:"unreadable,conflict,batch" doc:"unreadable: what is no record. conflict: a record whose identity has other content. batch: a batch that could not be committed."`
	At      time.Time `json:"at" doc:"When it was met."`
	Source  string    `json:"source" doc:"Source of the record, where it could be read."`
	File    string    `json:"file" doc:"File that it stands in, if it came from one."`
	Line    int64     `json:"line" doc:"Physical line of the file, or place in the body, from 1."`
	Fault   string    `json:"fault" doc:"What is wrong with it." example:"quantity \"12,5\": not a decimal number"`
	Payload string    `json:"payload" doc:"The text itself."`
}

// redrivenShape is what redriving dead letters did.
type redrivenShape struct {
	Redriven int `json:"redriven" doc:"How many are on their way again." example:"2"`
	Left     int `json:"left" doc:"How many cannot be read now either and stay dead letters." example:"0"`
}

// outcomesShape counts what became of records.
type outcomesShape struct {
	Accepted   int            `json:"accepted" doc:"Records that were accepted." example:"1200"`
	Rated      int            `json:"rated" example:"1100"`
	Rejected   int            `json:"rejected" example:"80"`
	Duplicate  int            `json:"duplicate" doc:"Sent again; they changed nothing." example:"15"`
	Conflict   int            `json:"conflict" doc:"Sent again with other content; kept as dead letters." example:"5"`
	Unreadable int            `json:"unreadable" doc:"What was no record; kept as dead letters." example:"2"`
	Cancelled  int            `json:"cancelled" doc:"Rated once and cancelled since." example:"0"`
	Reasons    map[string]int `json:"reasons" doc:"How many were rejected, by reason."`
}

// batchesShape counts batches.
type batchesShape struct {
	Accepted int64 `json:"accepted" doc:"Batches that were taken over." example:"12"`
	Done     int64 `json:"done" doc:"Of these, those that are judged." example:"11"`
	Waiting  int64 `json:"waiting" doc:"And those that are not." example:"1"`
}

// queuesShape is what goes on.
type queuesShape struct {
	Queues  array[queueShape]   `json:"queues" doc:"Every queue that a task was ever put on."`
	Batches batchesShape        `json:"batches"`
	Sweeps  jobShape            `json:"sweeps" doc:"The credit sweep."`
	Charges jobShape            `json:"charges" doc:"Periodic charging."`
	Leader  orNull[leaderShape] `json:"leader" doc:"Who leads the schedulers; null: none ever ran."`
	Notices noticesShape        `json:"notices"`
}

// queueShape is the figures of one queue, in tasks.
type queueShape struct {
	Queue          string  `json:"queue" doc:"Name of the queue." example:"usage-03"`
	Pending        int     `json:"pending" doc:"Ready to be taken." example:"1"`
	Active         int     `json:"active" doc:"With a worker." example:"0"`
	Scheduled      int     `json:"scheduled" example:"0"`
	Retry          int     `json:"retry" doc:"Failed, to be tried again." example:"0"`
	Archived       int     `json:"archived" example:"0"`
	ProcessedToday int     `json:"processed_today" doc:"Since midnight UTC." example:"11"`
	FailedToday    int     `json:"failed_today" doc:"Of these, those that failed." example:"0"`
	LatencySeconds float64 `json:"latency_seconds" doc:"Age of the oldest task that is pending." example:"0.4"`
}

// jobShape is how a job of the scheduler does.
type jobShape struct {
	Last        orNull[runShape] `json:"last" doc:"Its last run; null: it never ran."`
	LastFailure orNull[runShape] `json:"last_failure" doc:"Its last run that failed."`
	Day         map[string]int   `json:"day" doc:"Sums of the last 24 hours: runs, failures, and what the runs counted."`
}

type runShape struct {
	AsOf       time.Time         `json:"as_of" doc:"The time that it took for now."`
	StartedAt  time.Time         `json:"started_at"`
	FinishedAt orNull[time.Time] `json:"finished_at" doc:"null: it is at work, or its process ended."`
	Counts     map[string]int    `json:"counts" doc:"What it did."`
	Error      string            `json:"error" doc:"Empty: it did all that it should."`
}

type leaderShape struct {
	Fence     int64     `json:"fence" doc:"Number of its term."`
	ExpiresAt time.Time `json:"expires_at" doc:"In the past: no scheduler runs."`
}

type noticesShape struct {
	Waiting int `json:"waiting" doc:"Notices to webhooks that are to be delivered."`
	Dead    int `json:"dead" doc:"Notices that were given up."`
}

// appliedShape is what applying a set-up changed.
type appliedShape struct {
	DryRun   bool               `json:"dry_run" doc:"Whether nothing was written."`
	Changes  array[changeShape] `json:"changes" doc:"What changed, or would."`
	Warnings array[string]      `json:"warnings" doc:"What is allowed, and odd."`
}

type changeShape struct {
	What   string `json:"what" doc:"What kind of thing." example:"price"`
	Key    string `json:"key" doc:"Its code, id, key, ref or number." example:"eu"`
	Did    string `json:"did" enum:"added,changed"`
	Detail string `json:"detail,omitempty" doc:"How."`
}

// simulatedAccountShape is what a set-up would make of one account.
type simulatedAccountShape struct {
	Account       string         `json:"account" example:"ACR0000001526"`
	Currency      string         `json:"currency" example:"EUR"`
	Records       int            `json:"records" doc:"Records that were judged again." example:"420"`
	Widened       int            `json:"widened" doc:"Of these, those that the span does not name and a re-rate takes along." example:"0"`
	Before        moneyText      `json:"charge_now" doc:"Their charges now."`
	After         moneyText      `json:"charge_then" doc:"What they would be."`
	More          moneyText      `json:"difference" doc:"The latter less the former."`
	Changed       int            `json:"changed" doc:"Records that would come out another way." example:"420"`
	NewlyRejected map[string]int `json:"newly_rejected" doc:"Rated now and rejected then, by the reason."`
	NewlyRated    map[string]int `json:"newly_rated" doc:"Rejected now and rated then, by the reason of now."`
	OtherReason   map[string]int `json:"other_reason" doc:"Rejected all the same, by the new reason."`
	Figure        moneyText      `json:"balance_then" doc:"The balance that it would have (postpay: current_debt)."`
	Hold          bool           `json:"held" doc:"It would be held for its debt and is not now."`
	Free          bool           `json:"freed" doc:"It is held for its debt and would not be."`
}

// simulatedTotalShape is a simulation's sums.
type simulatedTotalShape struct {
	Accounts      int                  `json:"accounts" doc:"Accounts that were looked at."`
	Differing     int                  `json:"accounts_changed" doc:"Of these, those for which something would change."`
	Records       int                  `json:"records"`
	Widened       int                  `json:"widened"`
	Changed       int                  `json:"changed"`
	Before        map[string]moneyText `json:"charge_now" doc:"Charges now, by currency."`
	After         map[string]moneyText `json:"charge_then" doc:"Charges then, by currency."`
	More          map[string]moneyText `json:"difference" doc:"The latter less the former, by currency."`
	NewlyRejected map[string]int       `json:"newly_rejected"`
	NewlyRated    map[string]int       `json:"newly_rated"`
	OtherReason   map[string]int       `json:"other_reason"`
	Held          int                  `json:"held" doc:"Accounts that would be held."`
	Freed         int                  `json:"freed" doc:"Accounts that would be freed."`
}
