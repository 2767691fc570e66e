// Command quickstart squares numbers on worker processes.
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/gowren/gowren/mapper"
)

var square = mapper.Func("square", func(_ context.Context, x int) (int, error) {
	return x * x, nil
})

func main() {
	mapper.Main() // a worker serves tasks here and never returns

	ctx, stop := mapper.Interruptible(context.Background()) // ^C ends the job in good order, another one at once
	defer stop()
	ex, err := mapper.Open(ctx, mapper.Config{}) // $GOWREN_BACKEND, $GOWREN_STORAGE; else this machine
	if err != nil {
		log.Fatal(err)
	}
	defer ex.Close()

	squares, err := mapper.Map(ctx, ex, square, []int{1, 2, 3, 4, 5})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(squares)
}
