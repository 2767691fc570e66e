package dataset

// Take makes b some rows of another block of a schema, in the order in which they are named. It keeps b's memory, and shares
// none of the other's.
func (b *Block) Take(in Schema, from *Block, rows []int) {
	if len(b.Columns) != len(from.Columns) {
		b.Columns = make([]Data, len(from.Columns))
	}
	b.Reset()
	b.Rows, b.from = len(rows), from.from
	for _, row := range rows {
		b.IDs = append(b.IDs, from.IDs[row])
	}
	for i, c := range in.Columns {
		to, d := &b.Columns[i], &from.Columns[i]
		switch c.Kind {
		case Number:
			for _, row := range rows {
				to.Numbers = append(to.Numbers, d.Numbers[row])
			}
		case String:
			for _, row := range rows {
				if d.Strings.IsMissing(row) {
					to.Strings.AddMissing()
				} else {
					to.Strings.Add(d.Strings.At(row))
				}
			}
		case Vector:
			to.Vectors.take(&d.Vectors, c.Width, rows)
		}
	}
}

// take adds rows of other vectors.
func (v *Vectors) take(from *Vectors, width int, rows []int) {
	if v.Ptr = v.Ptr[:0]; from.Ptr == nil {
		v.Ptr = nil
	} else {
		v.Ptr = append(v.Ptr, 0)
	}
	for _, row := range rows {
		places, values := from.row(row, width)
		v.Val = append(v.Val, values...)
		if from.Ptr != nil {
			v.Idx = append(v.Idx, places...)
			v.Ptr = append(v.Ptr, len(v.Val))
		}
	}
}
