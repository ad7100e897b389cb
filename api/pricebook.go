package api

import (
	"context"
	"mime"
	"net/http"
	"strconv"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/setup"
	"github.com/danielgtaylor/huma/v2"
)

type priceBookRequest struct {
	Accept string `header:"Accept" hidden:"true"`
}

// priceBookChange is a set-up file that is to be applied.
type priceBookChange struct {
	Keyed
	ContentType string `header:"Content-Type" hidden:"true"`
	IfMatch     string `header:"If-Match" maxLength:"4096" doc:"ETags of the price book that this one was made from: where none is that of now, nothing is done (412). * is any." example:"\"settings-7\""`
	DryRun      bool   `query:"dry_run" doc:"Say what would change, and change nothing."`
	RawBody     []byte `contentType:"application/yaml"`
}

type appliedAnswer struct {
	ETag string `header:"ETag" doc:"Of the price book as it is now." example:"\"settings-8\""`
	Body *postgres.Applied
}

// setupsAtOnce is how many set-ups are read and applied at once: each takes up to
// 36 times the longest body in memory (bytesPerMark).
const setupsAtOnce = 2

func (s *Server) registerPriceBook() {
	s.setups = make(places, setupsAtOnce)
	forms := []form{{asJSON, setupShape{}}, {asYAML, nil}}
	register(s, endpoint{
		method: http.MethodGet, path: "/v1/price-book", name: "getPriceBook", tag: "Price book", need: access.Read, whole: true, long: true,
		summary: "The whole set-up",
		description: "Prices, and all that they stand on: families, types, services, account classes, customers with their accounts, and limits. It is the " +
			"file that `chargehand export` writes; putting it changes nothing. The ETag is of all but customers and accounts. With " +
			"`Accept: application/yaml` it is YAML.",
		gives: forms,
	}, s.getPriceBook)
	register(s, endpoint{
		method: http.MethodPut, path: "/v1/price-book", name: "putPriceBook", tag: "Price book", need: access.Manage, whole: true, long: true,
		summary: "Apply a set-up",
		description: "Makes true what it says, all or nothing, as `chargehand apply` does, and answers what that changed. What it does not name stays as it " +
			"is; a price, class or account that it names becomes what it says. Of a price that has rated records only `valid_to` may change. All " +
			"faults are told at once, each with its place; of many the first. Two may be applied at once.",
		kinds: []string{"changed-meanwhile", "busy"}, takes: forms,
	}, s.putPriceBook)
}

func (s *Server) getPriceBook(ctx context.Context, in *priceBookRequest) (*huma.StreamResponse, error) {
	// The version is read first: what is newer than its tag is only refused once
	// too often.
	version, err := s.Store.SettingsVersion(ctx)
	if err != nil {
		return nil, err
	}
	file, err := s.Store.Export(ctx)
	if err != nil {
		return nil, err
	}
	media, write := preferred(in.Accept, asJSON, asYAML), file.JSON
	if media == asYAML {
		write = file.YAML
	}
	text, err := write()
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		ctx.SetHeader("Content-Type", media)
		ctx.SetHeader("ETag", tagOf(settingsTags, version))
		ctx.SetStatus(http.StatusOK)
		_, _ = ctx.BodyWriter().Write(text) // the client has gone
	}}, nil
}

func (s *Server) putPriceBook(ctx context.Context, in *priceBookChange) (*appliedAnswer, error) {
	if err := setupMedia(in.ContentType); err != nil {
		return nil, err
	}
	leave, err := s.setups.take("set-ups")
	if err != nil {
		return nil, err
	}
	defer leave()
	file, err := setup.Parse("body", in.RawBody)
	if err != nil {
		return nil, err
	}
	done, err := s.Store.Apply(ctx, file, s.applyOptions(ctx, in.DryRun, revisions(in.IfMatch, settingsTags)))
	if err != nil {
		return nil, err
	}
	answer := &appliedAnswer{Body: done}
	if !in.DryRun {
		answer.ETag = tagOf(settingsTags, done.Version)
	}
	return answer, nil
}

// applyOptions say how a set-up of a client is applied or tried out.
func (s *Server) applyOptions(ctx context.Context, dry bool, seen postgres.Revisions) postgres.ApplyOptions {
	return postgres.ApplyOptions{At: s.Clock(), Actor: access.From(ctx).Actor(), DryRun: dry, TimeZone: s.TimeZone,
		LimitsForAll: s.LimitsForAll, If: seen}
}

// setupMedia refuses what is neither JSON nor YAML; YAML has had many names.
func setupMedia(contentType string) error {
	media, _, err := mime.ParseMediaType(contentType)
	switch media {
	case asJSON, asYAML, "application/x-yaml", "text/yaml", "text/x-yaml":
		if err == nil {
			return nil
		}
	}
	return problem("media-type", "Content-Type "+strconv.Quote(contentType)+": a set-up is taken as application/json or application/yaml",
		Fault{Parameter: "Content-Type", Detail: "neither application/json nor application/yaml"})
}
