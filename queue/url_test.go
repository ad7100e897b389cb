package queue

import (
	"crypto/tls"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
)

func TestURLIsRead(t *testing.T) {
	for _, tc := range []struct {
		url  string
		want address
	}{
		{"redis://localhost", address{scheme: "redis", hosts: []string{"localhost:6379"}}},
		{"redis://10.0.0.1:6380/3", address{scheme: "redis", hosts: []string{"10.0.0.1:6380"}, db: 3}},
		{"redis://[::1]/0", address{scheme: "redis", hosts: []string{"[::1]:6379"}}},
		{"redis://[::1]:7000", address{scheme: "redis", hosts: []string{"[::1]:7000"}}},
		{"REDISS://r.example:6380/", address{scheme: "rediss", hosts: []string{"r.example:6380"}}},
		{"redis://:s%40cret@h", address{scheme: "redis", hosts: []string{"h:6379"}, password: "s@cret"}},
		{"redis://app:a:b/c?d@e@h:1", address{scheme: "redis", hosts: []string{"h:1"}, user: "app", password: "a:b/c?d@e"}},
		{
			"redis+sentinel://app:pw@s1,s2:26380,s3/2?master=usage&sentinel_user=u&sentinel_password=p%26q",
			address{
				scheme: "redis+sentinel", hosts: []string{"s1:26379", "s2:26380", "s3:26379"}, db: 2,
				user: "app", password: "pw", master: "usage", sentinelUser: "u", sentinelPassword: "p&q",
			},
		},
		{"rediss+sentinel://s1?master=m", address{scheme: "rediss+sentinel", hosts: []string{"s1:26379"}, master: "m"}},
		{"redis+cluster://a:1,b:2,c:3", address{scheme: "redis+cluster", hosts: []string{"a:1", "b:2", "c:3"}}},
		{"rediss+cluster://one/0", address{scheme: "rediss+cluster", hosts: []string{"one:6379"}}},
	} {
		got, err := parseURL(tc.url)
		if err != nil {
			t.Errorf("%s: %v", tc.url, err)
			continue
		}
		if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(address{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.url, diff)
		}
	}
}

// TestURLErrorNamesTheBadPart and keeps every secret: each URL has one.
func TestURLErrorNamesTheBadPart(t *testing.T) {
	for _, tc := range []struct{ url, want string }{
		{"hunter2@localhost:6379", `no scheme`},
		{"http://:hunter2@h", `unknown scheme "http"`},
		{"redis-sentinel://:hunter2@h", `unknown scheme "redis-sentinel"`},
		{"redis://:hunter2%zz@h", `bad %-escape`},
		{"redis://:hunter2@", `host missing`},
		{"redis://:hunter2@h:", `port "" of host "h"`},
		{"redis://:hunter2@h:0", `port "0" of host "h"`},
		{"redis://:hunter2@h:70000", `port "70000" of host "h"`},
		{"redis://:hunter2@h:http", `port "http" of host "h"`},
		{"redis://:hunter2@::1:6379", `host "::1:6379" is not host:port`},
		{"redis://:hunter2@a:1,b:2", `several hosts "a:1,b:2"`},
		{"redis+cluster://:hunter2@a:1,,b:2", `host missing`},
		{"redis://:hunter2@h/one", `database "one" is not a number`},
		{"redis://:hunter2@h/-1", `database "-1" is not a number`},
		{"redis://:hun/ter2@h/x", `database "x" is not a number`},
		{"redis+cluster://:hunter2@h/3", `database 3, a cluster has only 0`},
		{"redis://:hunter2@h?timeout=3", `unknown key "timeout"`},
		{"redis://:hunter2@h?master=m", `unknown key "master"`},
		{"redis+sentinel://:hunter2@h", `no ?master=NAME`},
		{"redis+sentinel://:hunter2@h?master=", `no ?master=NAME`},
		{"redis+sentinel://:hunter2@h?master=a&master=b", `key "master" is doubled`},
		{"redis+sentinel://h?master=m&sentinel_pasword=hunter2", `unknown key "sentinel_pasword"`},
		{"redis+sentinel://h?master=m&sentinel_password=hunter2%zz", `is not key=value`},
	} {
		_, err := parseURL(tc.url)
		if err == nil {
			t.Errorf("%s was accepted", tc.url)
			continue
		}
		if !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %q, want %q in it", tc.url, err, tc.want)
		}
		for _, secret := range []string{"hunter2", "ter2"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s: error %q shows the password", tc.url, err)
			}
		}
	}
}

func TestAddressHidesPasswords(t *testing.T) {
	for url, want := range map[string]string{
		"rediss://app:hunter2@h:1/3":                                     "rediss://h:1/3",
		"redis+cluster://:hunter2@a,b:2":                                 "redis+cluster://a:6379,b:2",
		"redis+sentinel://:hunter2@s?master=m&sentinel_password=hunter2": "redis+sentinel://s:26379/0?master=m",
	} {
		a, err := parseURL(url)
		if err != nil {
			t.Fatal(err)
		}
		if got := a.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// TestURLDecidesTheKindOfClient looks at what go-redis makes of an address.
func TestURLDecidesTheKindOfClient(t *testing.T) {
	kind := func(url string) (string, *tls.Config) {
		a, err := parseURL(url)
		if err != nil {
			t.Fatal(err)
		}
		o := a.options()
		c := redis.NewUniversalClient(o)
		defer func() { _ = c.Close() }()
		switch c := c.(type) {
		case *redis.ClusterClient:
			return "cluster", o.TLSConfig
		case *redis.Client:
			if c.Options().Addr == "FailoverClient" {
				return "sentinel", o.TLSConfig
			}
		}
		return "single", o.TLSConfig
	}
	for url, want := range map[string]string{
		"redis://h": "single", "rediss://h": "single",
		"redis+cluster://h": "cluster", "rediss+cluster://a,b": "cluster",
		"redis+sentinel://h?master=m": "sentinel", "rediss+sentinel://a,b?master=m": "sentinel",
	} {
		got, secure := kind(url)
		if got != want {
			t.Errorf("%s makes a client of kind %s, want %s", url, got, want)
		}
		if (secure != nil) != strings.HasPrefix(url, "rediss") {
			t.Errorf("%s: TLS is %t", url, secure != nil)
		}
	}
}
