// Package api is the window: Chargehand over HTTP (CONTRACT §4).
//
// It owns the server, what every request goes through, and the endpoints under
// /v1. The shapes of other products' APIs are views in packages of their own,
// mounted and documented here. It decides nothing: a handler decodes, calls the
// one method that the command line calls too, and encodes what that answers.
//
// What is always true: nothing but /livez and /readyz answers a request without a
// token, a token reaches no further than its scopes and its reseller, and a
// change that is answered has been committed.
package api
