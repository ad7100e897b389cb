// Package access says who asks, what they may do, and how often.
//
// It owns tokens from their making to their last use. A token is
// chg_<id>_<secret>: the prefix lets scanners of leaked secrets find it, the id
// finds its row, and of the secret only a hash is stored. It knows no HTTP: where
// a request bears its token, and whence it comes, is said by whoever serves it.
//
// What is always true: Admit answers a Caller only for a token that is known, not
// revoked, not expired and has the scope that was asked for.
package access
