package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
)

// TestAClientThatLeavesIsNoFault of the server's: whatever becomes of its request,
// the log has status 499 (as nginx has) and no error.
func TestAClientThatLeavesIsNoFault(t *testing.T) {
	var log logged
	s := openSite(t, village, func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	errBroken := errors.New("the disk is full")
	for what, c := range map[string]struct {
		answer http.HandlerFunc // once its client has left
		want   string
	}{
		"a question that ends with its client": {func(w http.ResponseWriter, r *http.Request) {
			s.server.refuse(w, r, fmt.Errorf("read an account: %w", r.Context().Err()))
		}, "level=INFO msg=request method=GET path=/slow status=499"},
		"one of another shape": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
		}, "level=INFO msg=request method=GET path=/slow status=499"},
		"a list that nobody reads to its end": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusOK)
			requestOf(r.Context()).fault = errors.New("write: broken pipe")
			panic(http.ErrAbortHandler)
		}, "level=INFO msg=request method=GET path=/slow status=499"},
		"what was done all the same": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusOK)
		}, "level=INFO msg=request method=GET path=/slow status=200"},
		"a fault that has nothing to do with it": {func(w http.ResponseWriter, r *http.Request) {
			s.server.refuse(w, r, errBroken)
		}, "level=ERROR msg=request method=GET path=/slow status=500"},
	} {
		began := make(chan struct{})
		s.server.open["/slow"] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			requestOf(r.Context()).pattern = "/slow"
			close(began)
			<-r.Context().Done()
			c.answer(w, r)
		})
		before := len(log.String())
		ctx, leave := context.WithCancel(t.Context())
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/slow", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		left := make(chan struct{})
		go func() {
			defer close(left)
			if w, err := http.DefaultTransport.RoundTrip(r); err == nil {
				_ = w.Body.Close()
			}
		}()
		<-began
		leave()
		<-left
		eventually(t, "its line is in the log", func() bool { return strings.Contains(log.String()[before:], "msg=request") })
		line := log.String()[before:]
		if !strings.Contains(line, c.want) || strings.Contains(line, "error=") != strings.Contains(c.want, "ERROR") {
			t.Errorf("%s: the log says %q, want %s", what, line, c.want)
		}
	}
}
