package feed

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// bufferBytes is how much of a stream is looked at to find out what it is, and
// the longest line that is read without a copy.
const bufferBytes = 64 << 10

// zstdWindowMax bounds what a compressed file may make its reader hold: what the
// zstd command takes without being told otherwise.
const zstdWindowMax = 128 << 20

// input is a stream without compression and byte order mark.
type input struct {
	*bufio.Reader
	close func()
}

var errUTF16 = errors.New("the file is UTF-16: convert it to UTF-8")

func open(r io.Reader) (input, error) {
	in := input{buffered(r), func() {}}
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
		in.Reader = buffered(z)
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		// One at a time: then it starts no goroutine, and close only frees.
		z, err := zstd.NewReader(in.Reader, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdWindowMax))
		if err != nil {
			return in, atLine(1, err)
		}
		in = input{buffered(z), z.Close}
	}
	if err := skipMark(in.Reader); err != nil {
		in.close()
		return in, err
	}
	return in, nil
}

// buffered looks ahead in r. bufio tells an error once; here it stays, so that
// looking ahead cannot swallow one.
func buffered(r io.Reader) *bufio.Reader {
	return bufio.NewReaderSize(&lasting{r: r}, bufferBytes)
}

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

func skipMark(in *bufio.Reader) error {
	mark, err := in.Peek(3)
	switch {
	case bytes.Equal(mark, []byte("\xef\xbb\xbf")):
		_, err = in.Discard(len(mark))
		return err
	case bytes.HasPrefix(mark, []byte{0xff, 0xfe}), bytes.HasPrefix(mark, []byte{0xfe, 0xff}):
		return errUTF16
	case err != nil && !errors.Is(err, io.EOF):
		return atLine(1, err)
	}
	return nil
}
