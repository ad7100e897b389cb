// Package vendor answers as ActivePlatform's API does, versions 1 and 3, so that
// programs written for it find accounts here.
//
// It owns the shapes: names of fields, parameters, texts of errors, and how
// figures and times are printed. What stands in them, and what a new account
// needs, is the store's; nothing is judged here. Version 1 is plain JSON with
// errors in a shape of ours; version 3 is JSON:API.
//
// What is always true: a request sees its token's reach and nothing beyond it,
// and an amount of money is written from its digits, never through a float.
package vendor
