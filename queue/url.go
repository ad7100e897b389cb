package queue

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// address is where Redis is, read from a REDIS_URL:
//
//	redis://[user:pass@]host[:port][/db]
//	redis+sentinel://[user:pass@]host[:port][,host[:port]…][/db]?master=NAME[&sentinel_user=U][&sentinel_password=P]
//	redis+cluster://[user:pass@]host[:port][,host[:port]…]
//
// and rediss for redis in each of them, which is the same over TLS. User and
// password are the data servers'; Sentinels have their own in the query.
type address struct {
	scheme   string
	hosts    []string
	db       int
	user     string
	password string

	master           string // sentinel only
	sentinelUser     string
	sentinelPassword string
}

func (a address) cluster() bool  { return strings.HasSuffix(a.scheme, "+cluster") }
func (a address) sentinel() bool { return strings.HasSuffix(a.scheme, "+sentinel") }
func (a address) secure() bool   { return strings.HasPrefix(a.scheme, "rediss") }

// String is the address without its passwords, fit for logs and errors.
func (a address) String() string {
	s := a.scheme + "://" + strings.Join(a.hosts, ",")
	if !a.cluster() {
		s += "/" + strconv.Itoa(a.db)
	}
	if a.sentinel() {
		s += "?master=" + url.QueryEscape(a.master)
	}
	return s
}

// parseURL reads a REDIS_URL. net/url cannot: it refuses several hosts with
// ports, and its errors repeat the whole URL. An error here names the bad part
// and never shows what stands before the last @, nor a value of the query.
func parseURL(s string) (address, error) {
	var a address
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return a, fmt.Errorf("redis url: no scheme, want redis://host:port/db")
	}
	switch a.scheme = strings.ToLower(scheme); a.scheme {
	case "redis", "rediss", "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster":
	default:
		return a, fmt.Errorf("redis url: unknown scheme %q, want redis, redis+sentinel or redis+cluster, or rediss for TLS", scheme)
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		if err := a.takeUser(rest[:i]); err != nil {
			return a, err
		}
		rest = rest[i+1:]
	}
	rest, query, _ := strings.Cut(rest, "?")
	hosts, path, _ := strings.Cut(rest, "/")
	if err := a.takeHosts(hosts); err != nil {
		return a, err
	}
	if err := a.takeDB(path); err != nil {
		return a, err
	}
	return a, a.takeQuery(query)
}

func (a *address) takeUser(s string) error {
	user, password, _ := strings.Cut(s, ":")
	var errs [2]error
	a.user, errs[0] = url.PathUnescape(user)
	a.password, errs[1] = url.PathUnescape(password)
	if errs[0] != nil || errs[1] != nil {
		return fmt.Errorf("redis url: user or password has a bad %%-escape")
	}
	return nil
}

func (a *address) takeHosts(s string) error {
	port := "6379"
	if a.sentinel() {
		port = "26379"
	}
	for host := range strings.SplitSeq(s, ",") {
		hostPort, err := withPort(host, port)
		if err != nil {
			return err
		}
		a.hosts = append(a.hosts, hostPort)
	}
	if len(a.hosts) > 1 && !a.sentinel() && !a.cluster() {
		return fmt.Errorf("redis url: several hosts %q, want redis+cluster or redis+sentinel for them", s)
	}
	return nil
}

// withPort checks host or host:port, an IPv6 host in brackets, and adds the port
// if there is none.
func withPort(s, port string) (string, error) {
	host := s
	if h, p, err := net.SplitHostPort(s); err == nil {
		host, port = h, p
	} else if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		host = s[1 : len(s)-1]
	} else if strings.Contains(s, ":") {
		return "", fmt.Errorf("redis url: host %q is not host:port", s)
	}
	if host == "" {
		return "", fmt.Errorf("redis url: host missing in %q", s)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", fmt.Errorf("redis url: port %q of host %q is not a port", port, host)
	}
	return net.JoinHostPort(host, port), nil
}

func (a *address) takeDB(path string) error {
	if path == "" {
		return nil
	}
	n, err := strconv.ParseUint(path, 10, 31)
	if err != nil {
		return fmt.Errorf("redis url: database %q is not a number", path)
	}
	if n != 0 && a.cluster() {
		return fmt.Errorf("redis url: database %d, a cluster has only 0", n)
	}
	a.db = int(n)
	return nil
}

func (a *address) takeQuery(query string) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return fmt.Errorf("redis url: what follows the ? is not key=value")
	}
	known := map[string]*string{}
	if a.sentinel() {
		known["master"] = &a.master
		known["sentinel_user"] = &a.sentinelUser
		known["sentinel_password"] = &a.sentinelPassword
	}
	for key, vs := range values {
		field := known[key]
		if field == nil {
			return fmt.Errorf("redis url: unknown key %q after the ?", key)
		}
		if len(vs) > 1 {
			return fmt.Errorf("redis url: key %q is doubled", key)
		}
		*field = vs[0]
	}
	if a.sentinel() && a.master == "" {
		return fmt.Errorf("redis url: no ?master=NAME, the name that the Sentinels know the master by")
	}
	return nil
}

// options are what every client of ours has in common.
func (a address) options() *redis.UniversalOptions {
	o := &redis.UniversalOptions{
		Addrs:            a.hosts,
		DB:               a.db,
		Username:         a.user,
		Password:         a.password,
		MasterName:       a.master,
		IsClusterMode:    a.cluster(),
		SentinelUsername: a.sentinelUser,
		SentinelPassword: a.sentinelPassword,
		// A dial that failed is tried again by the command that wanted it.
		DialerRetries: 1,
		// A handshake that only one vendor's servers understand.
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	if a.secure() {
		// The server's name is taken from the address that is dialled.
		o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return o
}
