package shuffle

import (
	"fmt"
	"strings"
)

// Check returns an error when the output, which has come from a worker, cannot be that of a task with so many partitions,
// 0 for sorting: its ranges are used without further checks.
func (o *Output) Check(parts int) error {
	if strings.Contains(o.Name, "/") {
		return fmt.Errorf("%w: an object cannot be named %q", ErrCorrupt, o.Name)
	}
	for i := range o.Runs {
		r := &o.Runs[i]
		end, ok := r.end(parts)
		if !ok || o.Name == "" && end > int64(len(o.Data)) {
			return fmt.Errorf("%w: run %d of a task's output lies where none can be", ErrCorrupt, i)
		}
	}
	return nil
}

// end returns where the run ends, unless something is wrong with it.
func (r *Run) end(parts int) (int64, bool) {
	if r.Off < 0 || len(r.Parts) != parts || parts > 0 && r.Size != 0 || (r.Size > 0) != (len(r.Points) > 0) {
		return 0, false
	}
	end := r.Off
	for _, size := range append([]int64{r.Size}, r.Parts...) {
		if size < 0 || end+size < end {
			return 0, false
		}
		end += size
	}
	last := int64(0)
	for i, p := range r.Points {
		if p.Off < last || p.Off >= r.Size || i == 0 && p.Off > 0 {
			return 0, false
		}
		last = p.Off
	}
	return end, true
}

// Size is the least that the output's object has, once it is checked.
func (o *Output) Size() int64 {
	size := int64(0)
	for i := range o.Runs {
		r := &o.Runs[i]
		end := r.Off + r.Size
		for _, part := range r.Parts {
			end += part
		}
		size = max(size, end)
	}
	return size
}
