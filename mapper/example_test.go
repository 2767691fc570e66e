package mapper_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log"
	"sync/atomic"

	"github.com/gowren/gowren/mapper"
)

// example opens an executor whose tasks run in this process. A program opens mapper.Config{} and calls mapper.Main.
func example() *mapper.Executor {
	ex, err := mapper.Open(context.Background(), mapper.Config{Backend: "inproc", Storage: "mem://examples"})
	if err != nil {
		log.Fatal(err)
	}
	return ex
}

var square = mapper.Func("square", func(_ context.Context, x int) (int, error) {
	return x * x, nil
})

func ExampleMap() {
	ex := example()
	defer ex.Close()

	squares, err := mapper.Map(context.Background(), ex, square, []int{1, 2, 3})
	fmt.Println(squares, err)
	// Output: [1 4 9] <nil>
}

func ExampleCall() {
	ex := example()
	defer ex.Close()

	n, err := mapper.Call(context.Background(), ex, square, 12)
	fmt.Println(n, err)
	// Output: 144 <nil>
}

// Inputs come from an iterator, and results as they are ready, so that neither need fit in memory.
func ExampleStart() {
	ex := example()
	defer ex.Close()

	numbers := func(yield func(int) bool) {
		for i := 1; i <= 1000 && yield(i); i++ {
		}
	}
	job, err := mapper.Start(context.Background(), ex, square, mapper.Inputs(numbers))
	if err != nil {
		log.Fatal(err)
	}
	sum := 0
	for result, err := range job.Results() {
		if err != nil {
			log.Fatal(err)
		}
		sum += result.Value
	}
	fmt.Println(sum, job.Stats().Done)
	// Output: 333833500 1000
}

var initial = mapper.Func("initial", func(_ context.Context, word string) (string, error) {
	return word[:1], nil
})

var concatenate = mapper.Reduce("concatenate", func(_ context.Context, letters iter.Seq[string]) (string, error) {
	s := ""
	for letter := range letters {
		s += letter
	}
	return s, nil
})

// A Reduce is called once, with all results in the order of the inputs.
func ExampleMapReduce() {
	ex := example()
	defer ex.Close()

	s, err := mapper.MapReduce(context.Background(), ex, initial, concatenate, []string{"go", "routine"})
	fmt.Println(s, err)
	// Output: gr <nil>
}

var larger = mapper.Combine("larger", func(_ context.Context, a, b int) (int, error) {
	return max(a, b), nil
})

// A Combine is called with two values at a time, on many workers.
func ExampleCombine() {
	ex := example()
	defer ex.Close()

	n, err := mapper.MapReduce(context.Background(), ex, square, larger, []int{3, -7, 5})
	fmt.Println(n, err)
	// Output: 49 <nil>
}

var price = mapper.FuncWith("price", func(_ context.Context, prices map[string]int, item string) (int, error) {
	return prices[item], nil
})

// What all tasks need is sent once, and not with each input.
func ExampleFuncWith() {
	ex := example()
	defer ex.Close()

	prices := map[string]int{"tea": 3, "cake": 5}
	bill, err := mapper.Map(context.Background(), ex, price.With(prices), []string{"cake", "tea", "cake"})
	fmt.Println(bill, err)
	// Output: [5 3 5] <nil>
}

var asked atomic.Int64

var ask = mapper.Func("ask", func(_ context.Context, question string) (string, error) {
	if asked.Add(1) < 3 {
		return "", mapper.Retryable(errors.New("the line is busy"))
	}
	return "yes", nil
})

// An error is final, unless it says that it may not come again.
func ExampleRetryable() {
	ex := example()
	defer ex.Close()

	answer, err := mapper.Call(context.Background(), ex, ask, "are you there?")
	fmt.Println(answer, err)
	// Output: yes <nil>
}

var invert = mapper.Func("invert", func(_ context.Context, x float64) (float64, error) {
	if x == 0 {
		return 0, errors.New("zero has no inverse")
	}
	return 1 / x, nil
})

// With ContinueOnError, a failed task has a zero result, and the error tells of all failures.
func ExampleOptions() {
	ex := example().With(mapper.Options{ContinueOnError: true})
	defer ex.Close()

	inverses, err := mapper.Map(context.Background(), ex, invert, []float64{2, 0, 4})
	fmt.Println(inverses)
	var failed *mapper.JobError
	if errors.As(err, &failed) {
		for _, task := range failed.Tasks {
			fmt.Println(task.Index, task.Message)
		}
	}
	// Output:
	// [0.5 0 0.25]
	// 1 zero has no inverse
}

var name = mapper.Func("name", func(ctx context.Context, word string) (string, error) {
	task, _ := mapper.CurrentTask(ctx)
	return fmt.Sprintf("%s-%d: %s", task.Function, task.Index, word), nil
})

func ExampleCurrentTask() {
	ex := example()
	defer ex.Close()

	labels, err := mapper.Map(context.Background(), ex, name, []string{"red", "green"})
	fmt.Println(labels, err)
	// Output: [name-0: red name-1: green] <nil>
}
