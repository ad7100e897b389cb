package once

import (
	"bytes"
	"net/http"

	"github.com/chargehand/chargehand/postgres"
)

// kept is an answer that is held back until it is stored.
type kept struct {
	http.ResponseWriter
	head   http.Header
	status int
	begun  bool
	body   bytes.Buffer
}

func (k *kept) Header() http.Header { return k.head }

func (k *kept) WriteHeader(status int) {
	if !k.begun {
		k.status, k.begun = status, true
	}
}

func (k *kept) Write(b []byte) (int, error) {
	k.begun = true
	return k.body.Write(b)
}

// toKeep is the answer of what was done; nil where nothing was.
func (k *kept) toKeep() *postgres.StoredAnswer {
	if k.status >= http.StatusBadRequest {
		return nil
	}
	return &postgres.StoredAnswer{Status: k.status, Head: k.head, Body: k.body.Bytes()}
}

// Unwrap lets deadlines reach the connection.
func (k *kept) Unwrap() http.ResponseWriter { return k.ResponseWriter }

// send answers with it.
func (k *kept) send(w http.ResponseWriter) {
	head := w.Header()
	for name, values := range k.head {
		head[name] = values
	}
	w.WriteHeader(k.status)
	_, _ = w.Write(k.body.Bytes()) // the client has gone
}
