package e2e_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rogpeppe/go-internal/testscript"
)

// scriptsPatience ends commands that should have ended by themselves.
const scriptsPatience = 3 * time.Minute

// The scripts are the contract by example: every command, what it prints, how it
// ends. Each has an installation of its own; those that need a worker start one.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/scripts",
		RequireExplicitExec: true,
		Deadline:            time.Now().Add(scriptsPatience),
		Setup: func(env *testscript.Env) error {
			databaseURL, redisURL, leave, err := together.room(t.Context())
			if err != nil {
				return err
			}
			env.Defer(func() {
				if err := leave(); err != nil {
					env.T().Log(err) // a background worker may still be connected
				}
			})
			env.Setenv("PATH", filepath.Dir(binary)+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("DATABASE_URL", databaseURL)
			env.Setenv("REDIS_URL", redisURL)
			shop, err := os.ReadFile("testdata/shop.yaml")
			if err != nil {
				return err
			}
			return writeNew(filepath.Join(env.WorkDir, "shop.yaml"), shop)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "shape": shapeOf, "field": field, "keep": keep, "repeat": repeat, "pack": pack, "bytes": writeBytes,
			"emptydatabase": emptyDatabase, "sql": sql,
		},
	})
}

// writeNew leaves a file of the script's own as it is.
func writeNew(path string, content []byte) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	return os.WriteFile(path, content, 0o644)
}

// exits runs a command that has to end with a status and, if it failed or was
// refused, with a line that says why: exits 1 chargehand account show NOBODY.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits status command [args...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var ended *exec.ExitError
	switch err := ts.Exec(args[1], args[2:]...); {
	case errors.As(err, &ended):
		got = ended.ExitCode()
	case err != nil:
		ts.Fatalf("%s: %v", args[1], err)
	}
	if got != want {
		ts.Fatalf("%s exits with status %d, want %d", args[1], got, want)
	}
	if said := ts.ReadFile("stderr"); (got == 1 || got == 2) && !strings.HasPrefix(lastLine(said), "chargehand: ") {
		ts.Fatalf("exit status %d without a line that says why: %q", got, said)
	}
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// shapeOf holds every line of the last output against the keys of CONTRACT §3:
// shape record.
func shapeOf(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 || shapes[args[0]] == nil {
		ts.Fatalf("usage: shape name, which is one of those in shapes_test.go")
	}
	printed := ts.ReadFile("stdout")
	if strings.TrimSpace(printed) == "" {
		ts.Fatalf("shape %s: nothing was printed", args[0])
	}
	for line := range strings.Lines(printed) {
		var value any
		ts.Check(decode(line, &value))
		if wrong := shapes[args[0]].faults(args[0], value); len(wrong) > 0 {
			ts.Fatalf("%s", strings.Join(wrong, "\n"))
		}
	}
}

// field looks a value of the last output up, in its first line or that of a
// number from 0, and compares as cases do: field balance "5", field 2 outcome
// "rated", field reasons {}.
func field(ts *testscript.TestScript, neg bool, args []string) {
	line := 0
	if len(args) == 3 {
		n, err := strconv.Atoi(args[0])
		ts.Check(err)
		line, args = n, args[1:]
	}
	if neg || len(args) != 2 {
		ts.Fatalf("usage: field [line] path value")
	}
	value := printed(ts, line, args[0])
	var want any = args[1] // a bare word is a text
	if json.Valid([]byte(args[1])) {
		ts.Check(decode(args[1], &want))
	}
	if number, ok := want.(json.Number); ok {
		if _, text := value.(string); text {
			want = number.String() // decimals are texts
		}
	}
	if wrong := differ(args[0], value, want); len(wrong) > 0 {
		ts.Fatalf("%s", strings.Join(wrong, "\n"))
	}
}

// keep puts a text of the last output into a variable: keep VARIABLE line path.
func keep(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: keep variable line path")
	}
	line, err := strconv.Atoi(args[1])
	ts.Check(err)
	text, ok := printed(ts, line, args[2]).(string)
	if !ok {
		ts.Fatalf("%s is no text", args[2])
	}
	ts.Setenv(args[0], text)
}

// printed looks a value up in a line of the last output.
func printed(ts *testscript.TestScript, line int, path string) (value any) {
	lines := strings.Split(strings.TrimSpace(ts.ReadFile("stdout")), "\n")
	if line >= len(lines) {
		ts.Fatalf("line %d: only %d were printed", line, len(lines))
	}
	ts.Check(decode(lines[line], &value))
	for _, key := range strings.Split(path, ".") {
		value = inside(ts, value, key)
	}
	return value
}

func inside(ts *testscript.TestScript, value any, key string) any {
	switch value := value.(type) {
	case map[string]any:
		if inner, there := value[key]; there {
			return inner
		}
	case []any:
		if n, err := strconv.Atoi(key); err == nil && n < len(value) {
			return value[n]
		}
	}
	ts.Fatalf("there is no %s in %s", key, shown(value))
	return nil
}

// repeat writes a file of a text, many times: repeat file count text.
func repeat(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: repeat file count text")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Repeat(unescaped(ts, args[2]), n)), 0o644))
}

// bytes writes files, one after the other, and texts with Go's escapes:
// bytes file part..., where a part that begins with @ is a file.
func writeBytes(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: bytes file part...")
	}
	var b bytes.Buffer
	for _, part := range args[1:] {
		if name, is := strings.CutPrefix(part, "@"); is {
			b.WriteString(ts.ReadFile(name))
			continue
		}
		b.WriteString(unescaped(ts, part))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b.Bytes(), 0o644))
}

// unescaped is a text whose escapes, those of Go, are carried out.
func unescaped(ts *testscript.TestScript, text string) string {
	text, err := strconv.Unquote(`"` + strings.ReplaceAll(text, `"`, `\"`) + `"`)
	ts.Check(err)
	return text
}

// pack gzips a file, whole or cut short by some bytes: pack file.gz file [cut].
func pack(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: pack to from [cut]")
	}
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := fmt.Fprint(w, ts.ReadFile(args[1]))
	ts.Check(errors.Join(err, w.Close()))
	cut := 0
	if len(args) == 3 {
		cut, err = strconv.Atoi(args[2])
		ts.Check(err)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b.Bytes()[:b.Len()-cut], 0o644))
}

// emptyDatabase lets what follows meet a database without even the schema.
func emptyDatabase(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: emptydatabase")
	}
	name, err := together.create(context.Background(), "")
	ts.Check(err)
	ts.Defer(func() { ts.Check(together.drop(name)) })
	ts.Setenv("DATABASE_URL", at(together.stack.DatabaseURL, name))
}

// sql does to the database what no command does: damage.
func sql(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: sql statement")
	}
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, ts.Getenv("DATABASE_URL"))
	ts.Check(err)
	_, err = conn.Exec(ctx, args[0])
	ts.Check(errors.Join(err, conn.Close(ctx)))
}
