// Package mapper runs Go functions over many inputs on serverless workers: Map and MapReduce over a pluggable backend
// and a pluggable object store. This is a tour of it.
//
// # A program
//
// Functions are registered in package variables, under names of their own. Main makes a process that was started as a
// worker serve them; in the driver, the process you started, it does nothing. Workers are further processes of the same
// program, here or in a cloud, so nothing needs to be sent but a name and the inputs.
//
//	var square = mapper.Func("square", func(ctx context.Context, x int) (int, error) {
//		return x * x, nil
//	})
//
//	func main() {
//		mapper.Main() // a worker serves tasks here and never returns
//
//		ctx, stop := mapper.Interruptible(context.Background()) // ^C ends the job in good order, another one at once
//		defer stop()
//		ex, err := mapper.Open(ctx, mapper.Config{}) // $GOWREN_BACKEND, $GOWREN_STORAGE; else this machine
//		if err != nil {
//			log.Fatal(err)
//		}
//		defer ex.Close()
//
//		squares, err := mapper.Map(ctx, ex, square, []int{1, 2, 3})
//		…
//	}
//
// Inputs and results are any types that package serialize takes: numbers, strings, slices, maps, structs, and what
// encodes itself. The compiler checks them: a handle such as square knows its types.
//
// # One result, or one for each input
//
// [Map] returns the results in the order of the inputs. [Call] is Map of one input. [MapReduce] goes on to reduce the
// results to one, on the workers: by [Reduce], a function of the whole sequence that runs once, or by [Combine], an
// associative function of two values that runs as a tree.
//
//	var longest = mapper.Combine("longest", func(ctx context.Context, a, b string) (string, error) {
//		if len(b) > len(a) {
//			return b, nil
//		}
//		return a, nil
//	})
//
//	line, err := mapper.MapReduce(ctx, ex, longestLine, longest, files)
//
// # By key
//
// [MapReduceByKey] is for results by key, as counts by word. The map step is an [Emitter], which emits keys and values as it
// finds them; the reduce step is a [Reducer], which is called for each key with all its values. Both stream: neither a map
// task's input, nor what it emits, nor the values of a key need fit into memory. Combine makes less travel.
//
//	var words = mapper.Emit("words", func(ctx context.Context, s storage.Split, emit func(string, int)) error { … })
//
//	var sum = mapper.ReduceByKey("sum", func(ctx context.Context, word string, counts iter.Seq[int]) (int, error) {
//		…
//	}).Combine(func(a, b int) int { return a + b })
//
//	splits, err := storage.Splits(ctx, "s3://bucket/texts/*.txt", 0)
//	counts, err := mapper.MapReduceByKey(ctx, ex, words, sum, splits) // pairs, in the order of the words
//
// [MapReduceByKeyTo] writes the results to a bucket instead, and [Sort] writes records there in the order of their keys.
// Both return a [Manifest], which names the objects, and whose Splits are read back or are the inputs of a next job. Inputs are any values; those that name ranges of objects are made by
// package storage's Splits, and read by its Lines, Records, CSV and JSONLines; [SplitCSV] is for CSV with line ends in its
// fields.
//
// # More inputs than memory
//
// [Start] takes an iterator and returns a [Job]. It draws inputs as workers take them and yields results as they come,
// so that neither need fit in memory; up to 65,536 inputs or 16 MB wait in the driver.
//
//	job, err := mapper.Start(ctx, ex, resize, images) // images is an iter.Seq2[Image, error]
//	for r, err := range job.Results() {
//		…
//	}
//
// # What all tasks share
//
// A model or a table that every task needs is not sent with each: [FuncWith] registers a function with one more argument,
// and With binds it. It is sent once, and each worker keeps it.
//
//	var predict = mapper.FuncWith("predict", func(ctx context.Context, m Model, row []float64) (float64, error) { … })
//
//	scores, err := mapper.Map(ctx, ex, predict.With(model), rows)
//
// # When something fails
//
// A task may run more than once; its result is delivered exactly once. A task whose worker is lost, runs out of time, or
// returns a [Retryable] error is tried again. Any other error, and a panic, is the task's failure: the first one stops
// the job, as a [*TaskError] that names the function, the input's index, the attempts and the cause, with the stack of a
// panic. With [Options].ContinueOnError the job goes on and tells of all failures at the end, in a [*JobError].
//
// A function's error travels as its text, on every backend: errors.Is finds [ErrFunction], [ErrPanic], [ErrTimeout] and
// their like, not what the function wrapped. A JobError matches each of them that any of its tasks matches.
//
// Where workers are processes of their own (all backends but inproc), a task that crashes, exits or takes too much memory
// takes its worker with it, never the driver. Tasks that were sent to that worker together with it run again elsewhere,
// and one that kills its worker each time is found and named. With [Options].MoreMemory, a task whose worker ran out of memory
// is tried again on one with twice as much, as far as the backend has such.
//
// Cancelling the context ends the work. A task that ignores its context has its worker ended.
//
// A driver may die, too. With [Options].Resume, a program that is run again takes the results of finished tasks from the bucket
// and computes only what is missing; with Detached besides, requests that were under way in a cloud go on meanwhile, and what
// they come to is taken as well.
//
// # How tasks travel
//
// Tasks travel in batches, whose size follows how long tasks take. Values up to 1 MB ride with the request and the reply;
// larger ones go through the executor's bucket, and are deleted when the job ends. The result of a job is a function of
// its inputs alone: the same on every backend, for every batch size, to the bit.
//
// # Where it runs
//
// The backend and the bucket are URLs, in [Config] or in the environment:
//
//	GOWREN_BACKEND  local (the default), local://?workers=4&memory=512, inproc
//	GOWREN_STORAGE  file:///var/tmp/gowren; by default a folder of the user's cache directory
//	                s3://bucket?region=eu-west-1, gs://bucket, az://account/container, redis://host/0, each with its driver
//	                imported: _ "github.com/gowren/gowren/storage/s3store"
//
// Packages of backends and storage register their URL's scheme when they are imported. [New] takes a backend and a bucket
// of one's own making.
//
// # What is shown
//
// On a terminal, a bar shows a job's progress; elsewhere a line every few seconds; in tests nothing. What tasks print,
// and what they log by log/slog with their context, reaches the driver's standard error with a label: the worker's name,
// or the function and the index of the input. [Options] tells where it goes.
//
// With GOWREN_PROGRESS=json, each job that runs for longer than a second writes an object a line each second, and one at its
// end: time, job (its function), queued, running, done, failed, retried, resumed, copied, workers_lost, more (inputs are still
// coming), rate (tasks a second), left_seconds, cost_usd, elapsed_seconds, ended. A line that was logged is an object with time,
// label and line. [Options].Stats is told all of a job when it has ended.
//
// Where the program has set a global OpenTelemetry provider in the driver, after [Main], a job is a span "job NAME", its steps
// "step NAME", and each attempt at a task "task NAME" with its index, attempt and error.type, linked to the attempt before; a
// sampler keeps them few. Metrics are gowren.tasks, gowren.invocations, gowren.cost and gowren.job.duration. The trace does not
// reach the function on its worker.
//
// # Limits
//
// Map and MapReduceByKey hold all inputs and results in the driver's memory. A reduction by Reduce runs on one worker. A value is encoded in
// one piece, so that the largest is bound by a worker's memory. A driver that is killed leaves its jobs' data below jobs/ in
// the bucket; one whose context ends does not. Functions must be registered before Main runs: a closure
// made at run time has no name that a worker could find it by.
package mapper
