package feed

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/chargehand/chargehand/billing"
)

// attributes are the context attributes of a CloudEvent that may be at fault.
var attributes = []string{"specversion", "type", "id", "source", "subject", "time", "datacontenttype", "data", "data_base64"}

// namedFirst is how a fault begins that names a member: its key, and then its
// value or what is wrong with it.
var namedFirst = regexp.MustCompile(`^(?:record [0-9]+ of the array: )?(?:(data): )?(?:unknown key ("(?:[^"\\]|\\.)*")|([a-z_0-9]+)[: ])`)

// Pointer is where in the body the member stands that made the line unreadable,
// as a JSON pointer (RFC 6901) from the record, or from the array that it is an
// element of; "" where the record is at fault as a whole.
func (l *Line) Pointer() string {
	if l.Fault == nil {
		return ""
	}
	found := namedFirst.FindStringSubmatch(l.Fault.Error())
	if found == nil {
		return ""
	}
	path, key := found[1], found[3]
	switch {
	case found[2] != "":
		var err error
		if key, err = strconv.Unquote(found[2]); err != nil {
			return ""
		}
		key = strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
	case !slices.Contains(billing.RecordFields(), key) && !slices.Contains(attributes, key):
		return ""
	}
	if path != "" {
		key = path + "/" + key
	}
	if l.Place > 0 {
		key = strconv.Itoa(l.Place-1) + "/" + key
	}
	return "/" + key
}
