package scheduler

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// webhook is where notices are sent, and with which secrets they are signed.
type webhook struct {
	address string
	secrets [][]byte // one, or several while they are being changed
}

// host is what logs and jobs call a webhook: its path may be a secret.
func (w *webhook) host() string {
	u, err := url.Parse(w.address)
	if err != nil {
		return "webhook" // parseWebhooks has let no such address in
	}
	return u.Host
}

// secretPrefix begins a secret of Standard Webhooks; base64 follows.
const secretPrefix = "whsec_"

// secretMin is how many bytes a secret has at least.
const secretMin = 16

// parseWebhooks reads addresses, each followed by its secrets, with blanks between
// all of them. Errors show no secret.
func parseWebhooks(text string) (all []webhook, err error) {
	for _, word := range strings.Fields(text) {
		encoded, isSecret := strings.CutPrefix(word, secretPrefix)
		if !isSecret {
			w, err := parseWebhook(word, all)
			if err != nil {
				return nil, err
			}
			all = append(all, w)
			continue
		}
		if len(all) == 0 {
			return nil, errors.New("it begins with a secret: want an address, then its secrets")
		}
		secret, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil || len(secret) < secretMin {
			return nil, fmt.Errorf("a secret of %s: want whsec_ and base64 of at least %d bytes", all[len(all)-1].host(), secretMin)
		}
		all[len(all)-1].secrets = append(all[len(all)-1].secrets, secret)
	}
	for i := range all {
		if len(all[i].secrets) == 0 {
			return nil, fmt.Errorf("%s has no secret: want whsec_ and base64 after its address, like whsec_$(openssl rand -base64 32)", all[i].host())
		}
	}
	return all, nil
}

func parseWebhook(address string, before []webhook) (webhook, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return webhook{}, errors.New("want addresses like https://example.com/notices, each followed by its secrets")
	}
	for i := range before {
		if before[i].address == address {
			return webhook{}, fmt.Errorf("an address at %s stands twice", u.Host)
		}
	}
	return webhook{address: address}, nil
}

// sign is the signature header of Standard Webhooks: one signature per secret.
func (w *webhook) sign(id string, at time.Time, body []byte) string {
	signatures := make([]string, len(w.secrets))
	for i, secret := range w.secrets {
		mac := hmac.New(sha256.New, secret)
		fmt.Fprintf(mac, "%s.%d.%s", id, at.Unix(), body)
		signatures[i] = "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	return strings.Join(signatures, " ")
}

// answerMost is how much of an answer is read: enough to use the connection again
// for those who answer shortly.
const answerMost = 16 << 10

// send sends a notice once. Anything but a 2xx is a failure, a redirection too.
func (w *webhook) send(ctx context.Context, client *http.Client, id string, at time.Time, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.address, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make a request: %w", err)
	}
	request.Header.Set("Content-Type", "application/cloudevents+json; charset=utf-8")
	request.Header.Set("User-Agent", "chargehand")
	request.Header.Set("webhook-id", id)
	request.Header.Set("webhook-timestamp", fmt.Sprint(at.Unix()))
	request.Header.Set("webhook-signature", w.sign(id, at, body))
	answer, err := client.Do(request)
	if err != nil {
		return unaddressed(err)
	}
	defer answer.Body.Close()
	_, err = io.CopyN(io.Discard, answer.Body, answerMost)
	switch {
	case answer.StatusCode < 200 || answer.StatusCode > 299:
		return fmt.Errorf("it answered %s", answer.Status)
	case err != nil && !errors.Is(err, io.EOF):
		return fmt.Errorf("read its answer: %w", unaddressed(err))
	}
	return nil
}

// unaddressed is an error of net/http without the address, whose path may be a
// secret.
func unaddressed(err error) error {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		return u.Err
	}
	return err
}
