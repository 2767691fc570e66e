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
package dataset
