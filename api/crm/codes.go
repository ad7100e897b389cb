package crm

import (
	"fmt"
	"net/http"
	"time"
)

// Code is how a request ended, as status.code says it.
type Code struct {
	Name    string
	HTTP    int    // the status that it comes with
	Meaning string // status.message: the same for every request that ends so
}

// succeeded has no meaning to tell: the documents leave the message empty.
var succeeded = Code{"OK", http.StatusOK, ""}

var (
	invalidToken     = Code{"INVALID_TOKEN", http.StatusUnauthorized, "The token is missing, unknown, expired or revoked."}
	forbidden        = Code{"FORBIDDEN", http.StatusForbidden, "The token does not allow this method."}
	tooManyRequests  = Code{"TOO_MANY_REQUESTS", http.StatusTooManyRequests, "The token has asked too often; the header Retry-After says when to go on."}
	invalidJSON      = Code{"INVALID_JSON", http.StatusBadRequest, "The body is not one JSON object."}
	tooLarge         = Code{"TOO_LARGE", http.StatusRequestEntityTooLarge, "The request is larger than what is taken."}
	unknownParameter = Code{"UNKNOWN_PARAMETER", http.StatusBadRequest, "A parameter is not known here, or stands twice."}
	notSupported     = Code{"NOT_SUPPORTED", http.StatusBadRequest, "The parameter is documented by CRM.COM, and nothing here would act on it."}
	invalidValue     = Code{"INVALID_VALUE", http.StatusBadRequest, "A parameter has a value that it cannot have."}
	invalidID        = Code{"INVALID_IDENTIFIER", http.StatusBadRequest, "Something is to be named in exactly one way, and is not."}
	accountNotFound  = Code{"ACCOUNT_NOT_FOUND", http.StatusNotFound, "There is no such accounts receivable, or the token does not reach it."}
	unknownTarget    = Code{"UNKNOWN_TARGET", http.StatusUnprocessableEntity, "There is no such service, service type or service family."}
	invalidEntry     = Code{"INVALID_ENTRY", http.StatusUnprocessableEntity, "An entry of usage_services_allowance cannot be carried out as it is."}
	entryExists      = Code{"ENTRY_EXISTS", http.StatusConflict, "The target to be added has an entry already."}
	entryNotFound    = Code{"ENTRY_NOT_FOUND", http.StatusConflict, "The target to be updated or removed has no entry."}
	limitsGlobal     = Code{"LIMITS_DEFINED_GLOBALLY", http.StatusConflict, "Limits are defined for all accounts, and none has its own."}
	keyReused        = Code{"KEY_REUSED", http.StatusUnprocessableEntity, "The Idempotency-Key was used for another request, or is no text of at most 256 bytes."}
	inProgress       = Code{"IN_PROGRESS", http.StatusConflict, "Another request with this Idempotency-Key is being carried out. Try again."}
	internal         = Code{"INTERNAL", http.StatusInternalServerError, "The fault is ours, and was logged."}
	unavailable      = Code{"UNAVAILABLE", http.StatusServiceUnavailable, "The database cannot be reached, or is too busy. Try again."}
)

// Codes lists every code that an answer may have.
func Codes() []Code {
	return []Code{
		succeeded, invalidToken, forbidden, tooManyRequests, invalidJSON, tooLarge, unknownParameter, notSupported, invalidValue,
		invalidID, accountNotFound, unknownTarget, invalidEntry, entryExists, entryNotFound, limitsGlobal, keyReused, inProgress, internal, unavailable,
	}
}

// refusal is why a request is not carried out. Its text names the parameter and
// the value, and what to do.
type refusal struct {
	code  Code
	text  string
	after time.Duration // until it may be tried again; 0: not said
}

// Error is the refusal's text.
func (r *refusal) Error() string { return r.text }

func refuse(code Code, format string, args ...any) error {
	return &refusal{code: code, text: fmt.Sprintf(format, args...)}
}
