package api

import (
	"context"
	"net/http"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/queue"
)

// queuesBody is what goes on: the stats command's figures without the outcomes,
// which do not need the queue.
type queuesBody struct {
	Queues  []queue.Stats       `json:"queues"`
	Batches postgres.BatchStats `json:"batches"`
	postgres.SchedulerStats
}

type (
	queuesAnswer struct {
		Aged
		Body queuesBody
	}
	outcomesAnswer struct {
		Aged
		Body postgres.Outcomes
	}
)

func (s *Server) registerFigures() {
	s.stats = glance[*postgres.Stats]{ask: s.Store.Stats, clock: s.Clock}
	s.queues = glance[[]queue.Stats]{ask: s.Queue.Stats, clock: s.Clock}
	register(s, endpoint{
		method: http.MethodGet, path: "/v1/queues", name: "getQueues", tag: "Operations", need: access.Read, whole: true,
		summary: "Queues, batches and jobs",
		description: "What waits, what is at work, and how sweeps and periodic charging do. For dashboards: the figures are worked out at most " +
			"every two seconds, however many ask.",
	}, s.getQueues)
	register(s, endpoint{
		method: http.MethodGet, path: "/v1/outcomes", name: "getOutcomes", tag: "Operations", need: access.Read, whole: true,
		summary: "Outcomes by reason",
		description: "What became of all records so far, and why those that were rejected were. For dashboards: the figures are worked out at most " +
			"every two seconds, however many ask.",
	}, s.getOutcomes)
}

func (s *Server) getQueues(ctx context.Context, _ *struct{}) (*queuesAnswer, error) {
	stats, age, err := s.stats.look(ctx)
	if err != nil {
		return nil, err
	}
	queues, _, err := s.queues.look(ctx)
	if err != nil {
		requestOf(ctx).fault = err
		return nil, problem("unavailable", "the queue (Redis) is away, so that its figures cannot be read; /v1/outcomes has those of the database").
			after(patienceAway)
	}
	return &queuesAnswer{agedBy(age), queuesBody{queues, stats.Batches, stats.SchedulerStats}}, nil
}

func (s *Server) getOutcomes(ctx context.Context, _ *struct{}) (*outcomesAnswer, error) {
	stats, age, err := s.stats.look(ctx)
	if err != nil {
		return nil, err
	}
	return &outcomesAnswer{agedBy(age), stats.Outcomes}, nil
}
