package api

import (
	"strconv"
	"strings"

	"github.com/chargehand/chargehand/postgres"
)

// An ETag of ours is of what people set, not of what usage and payments move: of
// an account its revision, of limits their version. A client that changes terms
// names the tag of what it saw, and is refused where somebody else has changed
// them since. A tag of the balance would be another one by every usage record,
// and no client could change the terms of an account that is used. So an account
// is never answered by 304: its balance may be new under the same tag. Nor is the
// price book, whose tag is of the settings and not of customers and accounts.
const (
	accountTags  = "r"
	limitsTags   = "l"
	settingsTags = "settings-"
)

// tagOf is the ETag of a revision.
func tagOf(kind string, revision int64) string {
	return `"` + kind + strconv.FormatInt(revision, 10) + `"`
}

// Conditional is the header of changes that are made by what was read before.
type Conditional struct {
	IfMatch string `header:"If-Match" maxLength:"4096" doc:"ETags of what the change was judged by: where none is that of now, nothing is changed (412). * is any." example:"\"r3\""`
}

// revisions are those that the header names, of a kind; nil: any.
func (c *Conditional) revisions(kind string) postgres.Revisions { return revisions(c.IfMatch, kind) }

func revisions(ifMatch, kind string) postgres.Revisions {
	if ifMatch == "" {
		return nil
	}
	named := postgres.Revisions{}
	for tag := range strings.SplitSeq(ifMatch, ",") {
		if tag = strings.TrimSpace(tag); tag == "*" {
			return nil
		}
		if revision, is := revisionOf(kind, tag); is {
			named = append(named, revision)
		}
	}
	return named
}

// revisionOf is the revision of a tag of ours, as a GET answered it.
func revisionOf(kind, tag string) (int64, bool) {
	text, ours := strings.CutPrefix(tag, `"`+kind)
	text, whole := strings.CutSuffix(text, `"`)
	revision, err := strconv.ParseInt(text, 10, 64)
	return revision, ours && whole && err == nil && tagOf(kind, revision) == tag
}

// matches tells whether an If-None-Match names a tag. W/ makes no difference in
// it (RFC 9110, 13.1.2).
func matches(ifNoneMatch, tag string) bool {
	for named := range strings.SplitSeq(ifNoneMatch, ",") {
		if named = strings.TrimPrefix(strings.TrimSpace(named), "W/"); named == "*" || named == tag {
			return true
		}
	}
	return false
}
