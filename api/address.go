package api

import (
	"net/http"
	"net/url"
	"path"
	"strings"
	"unicode/utf8"
)

// cleanPath tells whether a path is written in the one way that is served: what
// has doubled slashes or dots in it is another path, of which nothing is known,
// and no hint at one.
func cleanPath(p string) bool {
	cleaned := path.Clean(p)
	if strings.HasSuffix(p, "/") && cleaned != "/" {
		cleaned += "/"
	}
	return cleaned == p
}

// unfit is the fault of a request that is named by what no stored text can hold: a
// NUL, or bytes that are no UTF-8. nil where there is none.
func unfit(r *http.Request) *Problem {
	if !storable(r.Header.Get(keyHeader)) {
		return problem("invalid", keyHeader+" is no UTF-8", Fault{Parameter: keyHeader, Detail: "it must be UTF-8 without NUL"})
	}
	if !storable(r.URL.Path) {
		return problem("invalid", "the path holds a NUL or is no UTF-8: nothing here is called so")
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return problem("bad-request", "the query cannot be read: "+err.Error())
	}
	for name, values := range query {
		if !storable(name) || !storable(strings.Join(values, "")) {
			return problem("invalid", "the query holds a NUL or is no UTF-8", Fault{Parameter: strings.ToValidUTF8(name, "?"),
				Detail: "it must be UTF-8 without NUL"})
		}
	}
	return nil
}

func storable(text string) bool { return utf8.ValidString(text) && !strings.ContainsRune(text, 0) }

// fit lets requests through whose address and key can name something.
func (s *Server) fit(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if p := unfit(r); p != nil {
			s.refuse(w, r, p)
			return
		}
		next(w, r)
	}
}
