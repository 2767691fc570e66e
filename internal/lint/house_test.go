package lint

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// module is the path of this module, root where it lies.
const (
	module = "github.com/gowren/gowren"
	root   = "../.."
)

// goFile is what the rules need to know of one Go file.
type goFile struct {
	name    string // from the root, with slashes
	test    bool
	main    bool // of package main, with a func main
	lines   int
	imports []string
}

// house is the parsed tree, all systems' files included: folders from the root, and their files.
var house = sync.OnceValues(func() (map[string][]goFile, error) {
	folders := map[string][]goFile{}
	err := walk(func(name string) error {
		if path.Ext(name) != ".go" {
			return nil
		}
		f, err := parse(name)
		folders[path.Dir(name)] = append(folders[path.Dir(name)], f)
		return err
	})
	return folders, err
})

// tree returns the house, or ends the test.
func tree(t *testing.T) map[string][]goFile {
	t.Helper()
	folders, err := house()
	if err != nil {
		t.Fatal(err)
	}
	return folders
}

// walk calls f with each file's name from the root. It leaves out what git and editors keep, and testdata.
func walk(f func(name string) error) error {
	return filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		switch d.Name() {
		case ".git", ".idea", ".vscode", "bin", "testdata", "node_modules":
			if d.IsDir() {
				return filepath.SkipDir
			}
		}
		if !d.Type().IsRegular() {
			return nil
		}
		name, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		return f(filepath.ToSlash(name))
	})
}

// parse reads one file.
func parse(name string) (goFile, error) {
	src, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		return goFile{}, err
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, src, parser.SkipObjectResolution)
	if err != nil {
		return goFile{}, err
	}
	f := goFile{name: name, test: strings.HasSuffix(name, "_test.go"), lines: strings.Count(string(src), "\n")}
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return goFile{}, err
		}
		f.imports = append(f.imports, imported)
	}
	for _, decl := range file.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if ok && fn.Recv == nil && fn.Name.Name == "main" && file.Name.Name == "main" {
			f.main = true
		}
	}
	return f, nil
}

// inside tells whether the folder is one of the parents, or below one that ends in "/...".
func inside(folder string, parents []string) bool {
	for _, parent := range parents {
		above, all := strings.CutSuffix(parent, "/...")
		if folder == above || all && strings.HasPrefix(folder, above+"/") {
			return true
		}
	}
	return false
}
