package api

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"
)

// certificateLooked is how often the files of a certificate are looked at: one
// that was renewed is served this much later at most.
const certificateLooked = 10 * time.Second

// certificate is a certificate in files, read again when they change.
type certificate struct {
	file, key string
	clock     func() time.Time
	log       *slog.Logger

	mu     sync.Mutex
	loaded *tls.Certificate
	stamp  string // of the files that were read last
	looked time.Time
}

// Secure is TLS by the files of a certificate and its key; nil where neither is
// named. Files that are renewed are taken over without a restart; while they are
// wrong the old ones hold.
func Secure(file, key string, clock func() time.Time, log *slog.Logger) (*tls.Config, error) {
	switch {
	case file == "" && key == "":
		return nil, nil
	case file == "" || key == "":
		return nil, errors.New("http.tls_certificate and http.tls_key go together: give both, or neither for no TLS")
	}
	c := &certificate{file: file, key: key, clock: clock, log: log, looked: clock()}
	var err error
	if c.stamp, err = c.stampNow(); err == nil {
		c.loaded, err = c.load()
	}
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current(), nil },
	}, nil
}

// load reads both files.
func (c *certificate) load() (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(c.file, c.key)
	if err != nil {
		return nil, fmt.Errorf("read http.tls_certificate %s with http.tls_key %s: %w", c.file, c.key, err)
	}
	return &pair, nil
}

// stampNow is another text when the files are others.
func (c *certificate) stampNow() (stamp string, err error) {
	for _, name := range []string{c.file, c.key} {
		about, err := os.Stat(name)
		if err != nil {
			return "", fmt.Errorf("look at the certificate of http.tls_certificate and http.tls_key: %w", err)
		}
		stamp += fmt.Sprintf("%d %d;", about.ModTime().UnixNano(), about.Size())
	}
	return stamp, nil
}

// current is the certificate to show. A new one that cannot be read is told once.
func (c *certificate) current() *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.clock()
	if now.Sub(c.looked) < certificateLooked {
		return c.loaded
	}
	c.looked = now
	stamp, err := c.stampNow()
	if err != nil || stamp == c.stamp {
		return c.loaded // files that are being replaced are there again at the next look
	}
	c.stamp = stamp
	renewed, err := c.load()
	if err != nil {
		c.log.Warn("the new certificate cannot be read: the old one is still served", "error", err)
		return c.loaded
	}
	c.log.Info("a new certificate is served", "file", c.file)
	c.loaded = renewed
	return c.loaded
}

// warnOpen tells that tokens would be readable on their way.
func (s *Server) warnOpen(at net.Addr) {
	if tcp, is := at.(*net.TCPAddr); is && !tcp.IP.IsLoopback() {
		s.Log.Warn("the API is served to other machines without TLS: whoever is on the way can read tokens; "+
			"set http.tls_certificate and http.tls_key, or put it behind what does TLS", "address", at.String())
	}
}
