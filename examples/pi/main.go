// Command pi estimates pi by throwing darts at a square, on worker processes: a job that only computes. The result
// depends on the numbers of darts and tasks alone, not on where or in what order the tasks run.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"math"
	"math/rand/v2"
	"os"

	_ "github.com/gowren/gowren/examples/internal/clouds"
	"github.com/gowren/gowren/mapper"
)

// Throw is one task: so many darts, from a random sequence of their own.
type Throw struct {
	Seed  uint64
	Darts int
}

// hits counts the darts that fall within the quarter of a circle.
var hits = mapper.Func("hits", func(ctx context.Context, t Throw) (int, error) {
	random := rand.New(rand.NewPCG(2026, t.Seed))
	n := 0
	for i := range t.Darts {
		if i%(1<<20) == 0 && ctx.Err() != nil {
			return 0, ctx.Err()
		}
		x, y := random.Float64(), random.Float64()
		if x*x+y*y < 1 {
			n++
		}
	}
	return n, nil
})

var sum = mapper.Combine("sum", func(_ context.Context, a, b int) (int, error) { return a + b, nil })

func main() {
	mapper.Main()
	darts := flag.Int("darts", 200_000_000, "darts in all")
	tasks := flag.Int("tasks", 100, "tasks to split them into")
	flag.Parse()
	ctx, stop := mapper.Interruptible(context.Background()) // ^C ends the job in good order, another one at once
	defer stop()
	if err := run(ctx, os.Stdout, *darts, *tasks); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer, darts, tasks int) error {
	if tasks < 1 || darts < tasks {
		return errors.New("there must be at least one task, and one dart for each")
	}
	ex, err := mapper.Open(ctx, mapper.Config{})
	if err != nil {
		return err
	}
	defer ex.Close()

	throws := make([]Throw, tasks)
	for i := range throws {
		throws[i] = Throw{Seed: uint64(i), Darts: darts / tasks}
	}
	throws[0].Darts += darts % tasks
	in, err := mapper.MapReduce(ctx, ex, hits, sum, throws)
	if err != nil {
		return err
	}
	pi := 4 * float64(in) / float64(darts)
	_, err = fmt.Fprintf(w, "pi is about %.6f (off by %.6f) after %d darts\n", pi, math.Abs(pi-math.Pi), darts)
	return err
}
