package feed

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// bufferBytes is how much of a stream is looked at to find out what it is, and
// the longest line that is read without a copy.
const bufferBytes = 64 << 10

// zstdWindowMax bounds what a compressed file may make its reader hold: what the
// zstd command takes without being told otherwise.
const zstdWindowMax = 128 << 20

// sharedWindowMax is the same for streams of strangers, of which many are read at
// once: what RFC 9659 allows to a Content-Encoding of zstd.
const sharedWindowMax = 8 << 20

// ErrUnpacked means that more came out of a compressed stream than
// Options.BytesMax allows.
var ErrUnpacked = errors.New("more comes out of the compressed stream than may")

// input is a stream without compression and byte order mark.
type input struct {
	*bufio.Reader
	free []func() // what was taken for it
}

// close gives back what was taken; the stream is not read any more.
func (in *input) close() {
	for _, f := range in.free {
		f()
	}
}

var errUTF16 = errors.New("the file is UTF-16: convert it to UTF-8")

// archives begin like this and are not unpacked here. Taken for lines, one file
// would be a heap of dead letters.
var archives = []struct{ magic, fault string }{
	{"PK\x03\x04", "the file is a zip archive: unpack it first"}, // xlsx, too
	{"BZh", "the file is packed by bzip2: unpack it first, or pack it by gzip or zstd"},
	{"\xfd7zX", "the file is packed by xz: unpack it first, or pack it by gzip or zstd"},
	{"7z\xbc\xaf", "the file is a 7z archive: unpack it first"},
	{"PAR1", "the file is Parquet: convert it to NDJSON or CSV"},
}

func open(r io.Reader, bytesMax int64) (in input, err error) {
	in.Reader = in.buffered(r)
	magic, err := in.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return in, atLine(1, err)
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(in.Reader)
		if err != nil {
			return in, atLine(1, unexpected(err))
		}
		in.Reader = in.buffered(bounded(z, bytesMax))
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		window := uint64(zstdWindowMax)
		if bytesMax > 0 {
			window = sharedWindowMax
		}
		// One at a time: then it starts no goroutine, and closing it only frees.
		z, err := zstd.NewReader(in.Reader, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(window))
		if err != nil {
			return in, atLine(1, err)
		}
		in.free = append(in.free, z.Close)
		in.Reader = in.buffered(bounded(z, bytesMax))
	}
	return in, skipMark(in.Reader)
}

// bounded is r, with an error in place of what is behind its first bytes; 0: all
// of it.
func bounded(r io.Reader, bytes int64) io.Reader {
	if bytes == 0 {
		return r
	}
	return &bound{r, bytes}
}

type bound struct {
	r    io.Reader
	left int64
}

func (b *bound) Read(to []byte) (int, error) {
	if int64(len(to)) > b.left+1 {
		to = to[:b.left+1] // the one more tells whether there is more
	}
	n, err := b.r.Read(to)
	if int64(n) > b.left {
		return int(b.left), ErrUnpacked
	}
	b.left -= int64(n)
	return n, err
}

// buffered looks ahead in r. bufio tells an error once; here it stays, so that
// looking ahead cannot swallow one.
func (in *input) buffered(r io.Reader) *bufio.Reader {
	b := buffers.Get().(*bufio.Reader)
	b.Reset(&lasting{r: r})
	in.free = append(in.free, func() {
		b.Reset(nil)
		buffers.Put(b)
	})
	return b
}

// buffers are those that no input has at present.
var buffers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, bufferBytes) }}

type lasting struct {
	r   io.Reader
	err error
}

func (l *lasting) Read(to []byte) (n int, err error) {
	if l.err != nil {
		return 0, l.err
	}
	n, l.err = l.r.Read(to)
	return n, l.err
}

// unexpected is what an end inside a header of gzip is.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return fmt.Errorf("gzip: %w", err)
}

// skipMark takes a byte order mark off, and refuses what cannot hold a record.
func skipMark(in *bufio.Reader) error {
	const mark = "\xef\xbb\xbf"
	head, err := in.Peek(4)
	for _, a := range archives {
		if bytes.HasPrefix(head, []byte(a.magic)) {
			return errors.New(a.fault)
		}
	}
	switch {
	case bytes.HasPrefix(head, []byte(mark)):
		_, err = in.Discard(len(mark))
		return err
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}), bytes.HasPrefix(head, []byte{0xfe, 0xff}), halfNUL(head):
		return errUTF16
	case err != nil && !errors.Is(err, io.EOF):
		return atLine(1, err)
	}
	return nil
}

// halfNUL tells whether a text begins as UTF-16 does that has no mark: with two
// characters of ASCII, each beside a NUL, before or behind it.
func halfNUL(head []byte) bool {
	if len(head) < 4 {
		return false
	}
	first, second := head[0] == 0, head[1] == 0
	return first != second && first == (head[2] == 0) && second == (head[3] == 0)
}
