// Package dataset holds rows on their way to a model: it reads them from CSV, JSON lines, libsvm, Criteo and IDX files of any
// store, writes them as shards, and brings shards as minibatches in an order that a seed alone decides.
//
// A [Block] is some rows as they were read, column by column, with strings and missing values. Package preprocess makes
// numbers of them. A [Batch] is some rows as a model takes them: numbers alone, row by row, dense or sparse. An [Assembler]
// makes batches of blocks.
//
// A [Set] is a dataset that is stored: shards, which the tasks of a job write, each with a [Writer], and a [Manifest] that
// names them, which its driver stores with [Commit]. What is not committed does not exist. [Set.Batches] reads the rows in
// minibatches.
//
// # Reading
//
// A [Source] is objects, their [Format], and a [Schema], which [Infer] finds or a program gives. [Source.Parts] cuts it into what
// tasks read, each with [Source.Blocks]:
//
//	src := dataset.Source{URLs: []string{"s3://bucket/higgs/*.csv"}, Format: dataset.Format{Name: dataset.CSV}}
//	src.Schema, err = dataset.Infer(ctx, src)
//	...
//	parts, err := src.Parts(ctx)
//	...
//	for block, err := range src.Blocks(ctx, parts[0]) { // in a task
//		...
//	}
//
// Each row comes once, with an ID that is the same however the source is split. A row that cannot be read is an error that names
// the object, the line and the column; or it is left out and counted by what is wrong with it, with [Format].Bad and [Reader].
package dataset
