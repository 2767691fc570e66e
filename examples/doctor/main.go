// Command doctor looks at what jobs need before the first one: the store, credentials, permissions, quotas, and whether a
// worker answers.
//
//	GOWREN_BACKEND=… GOWREN_STORAGE=… doctor
//	GOWREN_BACKEND=… GOWREN_STORAGE=… doctor -destroy
//
// It prints a line for each thing that it looked at, with what to do where something is wrong, and exits with 1 then. What
// workers need is made on the platform, as for a job. With -destroy it looks at nothing, and removes from the platform what
// was made there for this very backend's URL and this bucket.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	_ "github.com/gowren/gowren/examples/internal/clouds"
	"github.com/gowren/gowren/mapper"
)

// hello is what the worker is asked to do.
var hello = mapper.Func("hello", func(_ context.Context, name string) (string, error) { return "hello, " + name, nil })

func main() {
	mapper.Main()
	destroy := flag.Bool("destroy", false, "only remove what was made on the platform for this backend and bucket")
	flag.Parse()
	if flag.NArg() > 0 {
		log.Printf("doctor takes no arguments, such as %q", flag.Arg(0))
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := mapper.Interruptible(context.Background()) // ^C ends the task in good order, another one at once
	defer stop()
	if *destroy {
		if err := remove(ctx, os.Stdout); err != nil {
			log.Fatal(err)
		}
		return
	}
	text, sound := examine(ctx)
	_, err := os.Stdout.WriteString(text)
	if err == nil && sound {
		err = greet(ctx, os.Stdout)
	}
	if err != nil {
		log.Fatal(err)
	}
	if !sound {
		os.Exit(1)
	}
}

// examine puts the findings into words, and reports whether all is well.
func examine(ctx context.Context) (text string, sound bool) {
	var b strings.Builder
	sound = true
	for _, f := range mapper.Check(ctx, mapper.Config{}) {
		if f.Err == nil {
			fmt.Fprintf(&b, "ok    %s: %s\n", f.What, f.Note)
			continue
		}
		sound = false
		fmt.Fprintf(&b, "FAIL  %s: %s\n", f.What, strings.ReplaceAll(f.Err.Error(), "\n", "\n      "))
		if f.Remedy != "" {
			fmt.Fprintf(&b, "      what to do: %s\n", f.Remedy)
		}
	}
	return b.String(), sound
}

// greet runs one task.
func greet(ctx context.Context, w io.Writer) (err error) {
	ex, err := mapper.Open(ctx, mapper.Config{})
	if err != nil {
		return err
	}
	defer func() {
		if closed := ex.Close(); err == nil {
			err = closed
		}
	}()
	text, err := mapper.Call(ctx, ex, hello, "world")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "ok    a task: %s\n", text)
	return err
}

// remove removes what jobs leave on the platform, what failed half-way included.
func remove(ctx context.Context, w io.Writer) error {
	if err := mapper.Destroy(ctx, mapper.Config{}); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, "ok    nothing is left on the platform that was made for this backend and bucket; programs and jobs' data in the bucket stay")
	return err
}
