// Package preprocess makes numbers of rows: it fits scalers, encoders and the like to a dataset of any size, and applies them,
// as jobs on workers or to a single row.
//
// A [Pipeline] is a list of steps. Fit goes over the data in as few passes as the steps' dependencies allow, and gives a
// [Fitted], which is a value: it is saved and loaded, applied to blocks, and to a dataset as a job that writes shards.
//
//	p := preprocess.Pipeline{
//		preprocess.Impute{Columns: []string{"age", "income"}, With: preprocess.Median},
//		preprocess.StandardScore{},
//		preprocess.OneHot{Columns: []string{"city"}, Most: 100},
//	}
//	fitted, err := p.Fit(ctx, ex, source)
//	data, err := fitted.Transform(ctx, ex, source, "s3://bucket/train", preprocess.TransformOptions{})
//
// Steps for numbers are [MinMax], [MaxAbs], [StandardScore], [Robust], [Quantile], [Bins], [Log], [Power], [YeoJohnson], [Clip]
// and [Interact]; [Impute] fills in what is missing, and [DropMissing] leaves its rows out; [Drop], [Keep] and [Role] choose columns and say what they are for. A step
// without columns is for all features that it can be for. A value that is missing is passed over when fitting, and stays
// missing except for Impute and Bins. All rows count alike, whatever their weight.
//
// [Describe] tells what is in a dataset's columns. [Fitted.Row] makes of a single row what a model takes.
// [Open] reads the Fitted of a set that it has made.
//
// What is fitted does not depend on how the input is split, on the workers, or on the backend, to the bit: sums are exact,
// samples are chosen by a hash of where a row is, and values are counted by key.
package preprocess
