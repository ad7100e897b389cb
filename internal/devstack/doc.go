// Package devstack runs a private PostgreSQL and a private Redis from the
// binaries that the machine has, for the commands demo, dev and bench and for
// the tests.
//
// It owns a folder, the data in it and the server processes, and nothing else:
// a server that it was given an address of is used as it stands, and a server
// that somebody else started is never touched. PostgreSQL listens on a unix
// socket only, Redis on a loopback port.
//
// Its one invariant: whatever becomes of us, no process stays behind. Close
// stops them; a kill -9 of us makes the kernel stop them (see launcher); and a
// temporary folder that could not be removed then is removed by the next Start.
//
// Where no redis-server is found the queue is kept in memory, in this process,
// and a line in the log says so. For PostgreSQL there is no such substitute.
package devstack
