// Package crm answers as CRM.COM does: the methods by which its users set usage
// allowance limits and ask what remains of them, over the rules and the store of
// everybody else.
//
// It owns the shapes: what a request may say, how an account, its limits and what
// is left of them are written, and the codes of refusals. It refuses to decide
// anything: a request becomes a patch that limits applies, under the same lock and
// by the same rules as the command line's.
//
// Its one invariant is that nothing is half understood. A key that it does not
// know, a number that it would have to round, two ways to name one thing: each
// refuses the whole request, by name, before anything was changed.
//
// Where the documents are silent, this is what holds:
//
//   - A request that changes nothing answers the limits in force.
//   - An entry without action sets: its target's ceilings become those that the
//     entry gives and no others, whether or not it had an entry. It can be
//     repeated, as users of the older "set" method expect.
//   - fields_set refuses a name that the answer does not have: a script that waits
//     for a misspelt field would wait for ever.
//   - A percentage of 0 and none at all are one thing, printed as null; so are a
//     flag that is false and none.
package crm
