package arch_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/chargehand/chargehand"

// everything stands for all packages of ours.
const everything = "*"

// mayImport lists, for every package, the packages of ours it may import.
// A package that is missing here may not exist. Tests of a package may import
// besides what comes along with these anyway, and internal packages.
var mayImport = map[string]string{
	"billing":           "",
	"rating":            "billing",
	"limits":            "billing",
	"setup":             "billing rating limits",
	"postgres":          "billing rating limits setup",
	"queue":             "billing",
	"feed":              "billing queue postgres",
	"worker":            "billing rating limits postgres queue",
	"verify":            "billing rating limits postgres",
	"scheduler":         "billing limits postgres queue",
	"metrics":           "billing postgres worker",
	"api":               "billing limits setup postgres queue feed worker metrics api/access api/once api/route api/vendor api/crm",
	"api/access":        "billing postgres",
	"api/once":          "postgres api/access api/route",
	"api/route":         "",
	"api/vendor":        "billing limits setup postgres api/access api/once api/route",
	"api/crm":           "billing limits setup postgres api/access api/once api/route",
	"configs":           "",
	"examples":          "",
	"internal/arch":     "",
	"internal/devstack": "",
	"internal/pgtest":   "internal/devstack",
	"cmd/chargehand":    everything,
	"e2e":               everything,
	"bench":             everything,
}

// testsMayImport lists what the tests of a package need besides. verify shares no
// code with what it checks; its tests check what that writes, and the tests of what
// writes let it prove that.
var testsMayImport = map[string]string{
	"verify": "worker queue",
	"worker": "verify",
	// It races with workers.
	"scheduler": "worker verify",
	// What comes in by these doors is judged, and proved, to the end.
	"api":        "verify scheduler",
	"api/crm":    "feed queue worker verify",
	"api/vendor": "feed queue worker verify",
}

// outside is other people's code that has one home here, so that it can be
// replaced, or misbehave, in one place.
var outside = []struct {
	path    string // of a package, or of what begins with it and a slash
	homes   string
	inTests bool // whether tests may use it anywhere
}{
	{"github.com/jackc/pgx/v5", "postgres internal/devstack internal/pgtest bench", true},
	{"github.com/pressly/goose/v3", "postgres", false},
	{"database/sql", "postgres", false},
	{"github.com/hibiken/asynq", "queue", false},
	{"github.com/robfig/cron/v3", "scheduler", false},
	{"github.com/prometheus/client_golang", "metrics", false},
	{"github.com/danielgtaylor/huma/v2", "api", false},
	{"github.com/alicebob/miniredis/v2", "internal/devstack", true},
	{"github.com/cloudevents/sdk-go/v2", "", true}, // a client nobody here wrote
	{"go.yaml.in/yaml/v3", "setup configs", true},
}

// world is what the pure packages do without (DESIGN: a pure core): they take
// values and now, and return values.
var world = []string{"context", "database/sql", "log", "log/slog", "net", "net/http", "os", "os/exec", "io/fs", "embed"}

// file is one Go file of ours: where it is and what it imports.
type file struct {
	name    string // from the root of the module
	pkg     string // its folder
	test    bool
	imports []string
}

func TestEveryPackageIsOnTheMap(t *testing.T) {
	for _, f := range files(t) {
		if _, known := mayImport[f.pkg]; !known {
			t.Errorf("%s: package %q is not on the map; add it to mayImport with what it may import", f.name, f.pkg)
		}
	}
}

func TestTheMapNamesOnlyWhatItKnows(t *testing.T) {
	for pkg, allowed := range mayImport {
		for _, name := range strings.Fields(allowed) {
			if _, known := mayImport[name]; !known && name != everything {
				t.Errorf("%s may import %q, which is not on the map", pkg, name)
			}
		}
	}
}

func TestPackagesImportWhatTheMapAllows(t *testing.T) {
	for _, f := range files(t) {
		allowed := strings.Fields(mayImport[f.pkg])
		for _, path := range f.imports {
			name, ours := strings.CutPrefix(path, module+"/")
			if !ours || slices.Contains(allowed, everything) || slices.Contains(allowed, name) {
				continue
			}
			if f.test && (name == f.pkg || strings.HasPrefix(name, "internal/") || comesAlong(f.pkg, name) ||
				slices.Contains(strings.Fields(testsMayImport[f.pkg]), name)) {
				continue
			}
			t.Errorf("%s imports %s; %s may import %q", f.name, name, f.pkg, allowed)
		}
	}
}

// comesAlong reports whether one package is linked in wherever another is.
func comesAlong(with, name string) bool {
	for _, direct := range strings.Fields(mayImport[with]) {
		if direct == name || comesAlong(direct, name) {
			return true
		}
	}
	return false
}

func TestOtherPeoplesCodeStaysAtHome(t *testing.T) {
	for _, f := range files(t) {
		for _, path := range f.imports {
			for _, rule := range outside {
				if path != rule.path && !strings.HasPrefix(path, rule.path+"/") {
					continue
				}
				atHome := slices.Contains(strings.Fields(rule.homes), f.pkg) || f.test && rule.inTests
				if !atHome {
					t.Errorf("%s imports %s, which belongs in %s", f.name, path, rule.homes)
				}
			}
		}
	}
}

func TestThePureCoreKnowsNoWorld(t *testing.T) {
	for _, f := range files(t) {
		if f.test || !slices.Contains([]string{"billing", "rating", "limits"}, f.pkg) {
			continue
		}
		for _, path := range f.imports {
			if slices.Contains(world, path) {
				t.Errorf("%s imports %s: %s takes values and returns values", f.name, path, f.pkg)
			}
		}
	}
}

// files reads the imports of every Go file of the module.
func files(t *testing.T) []file {
	t.Helper()
	root := filepath.Join("..", "..")
	var all []file
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && path != root && skipped(path, entry.Name()) {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(path, ".go") {
			return nil
		}
		f, err := readFile(root, path)
		all = append(all, f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatalf("no Go file under %s", root)
	}
	return all
}

// skipped reports whether a folder is none of the module's: hidden, data, or a
// module of its own.
func skipped(path, name string) bool {
	_, err := os.Stat(filepath.Join(path, "go.mod"))
	return err == nil || name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

func readFile(root, path string) (file, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		return file{}, err
	}
	name, err := filepath.Rel(root, path)
	if err != nil {
		return file{}, err
	}
	f := file{name: filepath.ToSlash(name), pkg: filepath.ToSlash(filepath.Dir(name)), test: strings.HasSuffix(name, "_test.go")}
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return file{}, err
		}
		f.imports = append(f.imports, imported)
	}
	return f, nil
}
