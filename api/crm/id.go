package crm

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/google/uuid"
)

// idOf is the id of something that is known by a code: 32 digits as CRM.COM's ids
// have, the same in every answer and every installation. It is no secret.
func idOf(kind, code string) string {
	sum := sha256.Sum256([]byte(kind + "\x00" + code))
	return strings.ToUpper(hex.EncodeToString(sum[:16]))
}

// accountID is an account's id as it is printed here: that of every other door
// without its dashes.
func accountID(id uuid.UUID) string { return strings.ToUpper(hex.EncodeToString(id[:])) }
