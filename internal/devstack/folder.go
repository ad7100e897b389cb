package devstack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

const (
	// lockName marks a folder as ours, and is locked by us and by every server
	// of it for as long as one of us lives.
	lockName = "devstack.lock"

	// temporaryPrefix begins the name of every temporary folder.
	temporaryPrefix = "chargehand-"

	// socketPathMax is how long the path of a unix socket may be: 103 bytes on
	// macOS, 107 on Linux.
	socketPathMax = 103
)

// folder is where the servers of one Stack live.
type folder struct {
	path   string
	kept   bool
	lock   *os.File
	owner  *serverUser // nil: ourselves
	socket string      // folder of the sockets; path itself where that is short enough
}

// openFolder makes or takes over the folder and locks it. Data that may be lost
// goes into memory where there is room, data that must stay onto a disk.
func openFolder(ctx context.Context, o Options) (*folder, error) {
	owner, err := serverOwner()
	if err != nil {
		return nil, err
	}
	f := &folder{owner: owner, kept: o.Dir != ""}
	switch memory, ok := memoryRoot(); {
	case f.kept:
		err = f.take(ctx, o.Dir)
	case ok && !o.Durable:
		err = f.makeTemporary(memory)
	default:
		err = f.makeTemporary(temporaryRoot())
	}
	if err != nil {
		return nil, err
	}
	f.socket = f.path
	if len(filepath.Join(f.path, ".s.PGSQL.5432")) > socketPathMax {
		if f.socket, err = f.makeOwned(temporaryRoot()); err != nil {
			return nil, errors.Join(err, f.lock.Close())
		}
	}
	return f, nil
}

// take locks a folder that is kept between runs. One that holds something else
// is refused, because as root we give it away.
func (f *folder) take(ctx context.Context, dir string) error {
	path, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("keep servers in %s: %w", dir, err)
	}
	f.path = path
	if err := os.MkdirAll(path, 0o755); err != nil {
		return fmt.Errorf("keep servers in %s: %w", path, err)
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return fmt.Errorf("keep servers in %s: %w", path, err)
	}
	lock := filepath.Join(path, lockName)
	if _, err := os.Lstat(lock); err != nil && len(entries) > 0 {
		return fmt.Errorf("keep servers in %s: the folder holds something else; name an empty or a new one", path)
	}
	if f.lock, err = lockFileSoon(ctx, lock); err != nil {
		return fmt.Errorf("keep servers in %s: %w; is another chargehand running there?", path, err)
	}
	if err := f.owner.canEnter(path); err != nil {
		return errors.Join(err, f.lock.Close())
	}
	if err := f.owner.own(path); err != nil {
		return errors.Join(err, f.lock.Close())
	}
	return nil
}

// makeTemporary makes a new folder and removes those of processes that were
// killed. The lock is taken before it has its name: a folder whose lock file
// can be seen and locked belongs to nobody any more.
func (f *folder) makeTemporary(root string) error {
	f.sweep(temporaryRoot())
	f.sweep(root)
	var err error
	if f.path, err = f.makeOwned(root); err != nil {
		return err
	}
	unnamed := filepath.Join(f.path, lockName+".new")
	if f.lock, err = lockFile(unnamed); err != nil {
		return errors.Join(fmt.Errorf("lock %s: %w", unnamed, err), os.RemoveAll(f.path))
	}
	if err := os.Rename(unnamed, filepath.Join(f.path, lockName)); err != nil {
		return errors.Join(err, f.lock.Close(), os.RemoveAll(f.path))
	}
	return nil
}

// makeOwned makes a new temporary folder that belongs to the servers' user.
func (f *folder) makeOwned(root string) (string, error) {
	path, err := os.MkdirTemp(root, temporaryPrefix)
	if err != nil {
		return "", fmt.Errorf("make a folder for the servers: %w", err)
	}
	if err := f.owner.own(path); err != nil {
		return "", errors.Join(err, os.RemoveAll(path))
	}
	return path, nil
}

// sweep removes temporary folders whose process and servers are gone. What it
// cannot read or lock is somebody else's.
func (f *folder) sweep(root string) {
	locks, err := filepath.Glob(filepath.Join(root, temporaryPrefix+"*", lockName))
	if err != nil {
		return
	}
	for _, name := range locks {
		path := filepath.Dir(name)
		info, err := os.Lstat(path)
		if err != nil || !info.IsDir() || !f.owner.owns(info) {
			continue
		}
		lock, err := lockFile(name)
		if err != nil {
			continue
		}
		_ = os.RemoveAll(path)
		_ = lock.Close()
	}
}

// close gives the lock back, and removes what was temporary.
func (f *folder) close() error {
	var errs []error
	if f.socket != f.path {
		errs = append(errs, os.RemoveAll(f.socket))
	}
	if !f.kept {
		errs = append(errs, os.RemoveAll(f.path))
	}
	return errors.Join(append(errs, f.lock.Close())...)
}

// make makes a folder below that the servers' user owns.
func (f *folder) make(name string) (string, error) {
	path := filepath.Join(f.path, name)
	if err := os.MkdirAll(path, 0o700); err != nil {
		return "", fmt.Errorf("make a folder for the servers: %w", err)
	}
	return path, f.owner.own(path)
}

// lockFile opens a file, making it where needed, and locks it, or fails at once
// when somebody else holds it.
func lockFile(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), file.Close())
	}
	return file, nil
}

// lockFileSoon is lockFile with a little patience: the servers of a process that
// was killed a moment ago still hold the lock while they end.
func lockFileSoon(ctx context.Context, path string) (*os.File, error) {
	const (
		patience  = 2 * time.Second
		pollEvery = 20 * time.Millisecond
	)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for {
		file, err := lockFile(path)
		if err == nil {
			return file, nil
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return nil, err
		}
	}
}

// temporaryRoot is /tmp where there is one: its path is short and every user
// may enter it, neither of which $TMPDIR promises.
func temporaryRoot() string {
	if info, err := os.Stat("/tmp"); err == nil && info.IsDir() {
		return "/tmp"
	}
	return os.TempDir()
}

// serverUser is whom the servers run as when we are root, whom initdb refuses.
// Nil stands for ourselves, and its methods take it so.
type serverUser struct {
	name string
	uid  uint32
	gid  uint32
}

// serverOwner returns nil unless we are root; then user postgres, which its
// packages make, else nobody.
func serverOwner() (*serverUser, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(found.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(found.Gid, 10, 32)
		if err := errors.Join(uidErr, gidErr); err != nil {
			return nil, fmt.Errorf("look up user %s: %w", name, err)
		}
		return &serverUser{name: name, uid: uint32(uid), gid: uint32(gid)}, nil
	}
	return nil, errors.New("run as root: PostgreSQL refuses root, and there is neither a user postgres nor nobody; start chargehand as another user")
}

func (u *serverUser) credential() *syscall.Credential {
	if u == nil {
		return nil
	}
	return &syscall.Credential{Uid: u.uid, Gid: u.gid}
}

func (u *serverUser) own(path string) error {
	if u == nil {
		return nil
	}
	if err := os.Chown(path, int(u.uid), int(u.gid)); err != nil {
		return fmt.Errorf("give %s to user %s: %w", path, u.name, err)
	}
	return nil
}

// owns reports whether a folder is the servers' user's.
func (u *serverUser) owns(info os.FileInfo) bool {
	system, ok := info.Sys().(*syscall.Stat_t)
	if u == nil {
		return ok && int(system.Uid) == os.Geteuid()
	}
	return ok && system.Uid == u.uid
}

// canEnter refuses a folder below one that only root may enter.
func (u *serverUser) canEnter(path string) error {
	if u == nil {
		return nil
	}
	for parent := filepath.Dir(path); ; parent = filepath.Dir(parent) {
		info, err := os.Stat(parent)
		if err != nil {
			return fmt.Errorf("keep servers in %s: %w", path, err)
		}
		if info.Mode().Perm()&0o001 == 0 && !u.owns(info) {
			return fmt.Errorf("keep servers in %s: user %s, whom the servers run as, may not enter %s; choose another folder (chargehand dev --dir /var/tmp/chargehand) or run as another user",
				path, u.name, parent)
		}
		if parent == filepath.Dir(parent) {
			return nil
		}
	}
}
