package api

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// writeCertificate writes a certificate for 127.0.0.1 of a common name, and its key.
func writeCertificate(t *testing.T, name, file, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	shape := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	made, err := x509.CreateCertificate(rand.Reader, shape, shape, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	packed, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{file: {Type: "CERTIFICATE", Bytes: made}, keyFile: {Type: "PRIVATE KEY", Bytes: packed}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestARenewedCertificateIsTakenOver(t *testing.T) {
	file, key := filepath.Join(t.TempDir(), "c.pem"), filepath.Join(t.TempDir(), "k.pem")
	writeCertificate(t, "first", file, key)
	var log bytes.Buffer
	at := now
	secure, err := Secure(file, key, func() time.Time { return at }, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	shown := func() string {
		t.Helper()
		pair, err := secure.GetCertificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		return pair.Leaf.Subject.CommonName
	}
	renew := func(age time.Duration) { // files of one second must not look the same
		for _, name := range []string{file, key} {
			if err := os.Chtimes(name, at.Add(age), at.Add(age)); err != nil {
				t.Fatal(err)
			}
		}
		at = at.Add(certificateLooked)
	}
	writeCertificate(t, "second", file, key)
	if got := shown(); got != "first" {
		t.Errorf("got %q before the files are looked at again", got)
	}
	if renew(time.Minute); shown() != "second" {
		t.Errorf("got %q of the renewed files", shown())
	}
	if err := os.WriteFile(file, []byte("half a cer"), 0o600); err != nil {
		t.Fatal(err)
	}
	if renew(2 * time.Minute); shown() != "second" || !strings.Contains(log.String(), "the old one is still served") {
		t.Errorf("got %q of broken files, log %s", shown(), log.String())
	}
}

func TestAWrongCertificateStopsTheStart(t *testing.T) {
	folder := t.TempDir()
	one, oneKey, other, otherKey := folder+"/1", folder+"/2", folder+"/3", folder+"/4"
	writeCertificate(t, "one", one, oneKey)
	writeCertificate(t, "other", other, otherKey)
	for _, c := range []struct{ file, key, want string }{
		{one, "", "go together"},
		{"", oneKey, "go together"},
		{one, folder + "/5", "no such file"},
		{one, otherKey, "private key does not match"},
		{oneKey, one, "failed to find"},
	} {
		secure, err := Secure(c.file, c.key, time.Now, slog.New(slog.DiscardHandler))
		if secure != nil || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %s: got %v, want %q", c.file, c.key, err, c.want)
		}
	}
	if secure, err := Secure("", "", time.Now, nil); secure != nil || err != nil {
		t.Errorf("without files: got %v, %v, want no TLS", secure, err)
	}
}

func TestTheServerSpeaksTLSAndSaysSo(t *testing.T) {
	s := openSite(t, village, nil)
	file, key := filepath.Join(t.TempDir(), "c.pem"), filepath.Join(t.TempDir(), "k.pem")
	writeCertificate(t, "chargehand", file, key)
	secure, err := Secure(file, key, time.Now, s.server.Log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	address, ended := make(chan net.Addr, 1), make(chan error, 1)
	go func() {
		ended <- s.server.Serve(ctx, "127.0.0.1:0", secure, func(at net.Addr) { address <- at })
	}()
	at := (<-address).String()
	pool := x509.NewCertPool()
	text, err := os.ReadFile(file)
	if err != nil || !pool.AppendCertsFromPEM(text) {
		t.Fatal(err)
	}
	get := func(version uint16) (*http.Response, error) {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MaxVersion: version}} //nolint:gosec // what must not work
		defer transport.CloseIdleConnections()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+at+"/livez", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		return transport.RoundTrip(r)
	}
	w, err := get(tls.VersionTLS12)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Body.Close(); err != nil || w.StatusCode != http.StatusOK || w.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("got %d, HSTS %q, %v", w.StatusCode, w.Header.Get("Strict-Transport-Security"), err)
	}
	if w, err := get(tls.VersionTLS11); err == nil {
		_ = w.Body.Close()
		t.Error("TLS 1.1 is taken")
	}
	if got := s.say(at, "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"); got.status != http.StatusBadRequest {
		t.Errorf("without TLS: got %d %s", got.status, got.body)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestServingOthersWithoutTLSIsWarnedOf(t *testing.T) {
	var log bytes.Buffer
	s := &Server{Options: Options{Log: slog.New(slog.NewTextHandler(&log, nil))}}
	for _, address := range []string{"127.0.0.1", "::1", "127.9.9.9"} {
		if s.warnOpen(&net.TCPAddr{IP: net.ParseIP(address)}); log.Len() > 0 {
			t.Errorf("%s: got %s, and nobody else hears it", address, log.String())
		}
	}
	for _, address := range []string{"0.0.0.0", "::", "10.0.0.1"} {
		log.Reset()
		if s.warnOpen(&net.TCPAddr{IP: net.ParseIP(address)}); !strings.Contains(log.String(), "without TLS") {
			t.Errorf("%s: got %q, want a warning", address, log.String())
		}
	}
}
