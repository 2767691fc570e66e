package preprocess

// gathering adds up what a task counts before it is emitted, for most values come again and again. It emits all that it has when
// that is much.
type gathering struct {
	emit  func(key string, t tally)
	lists map[listKey]map[string]int // where in found each value is
	found []gathered
	bytes int

	last   listKey // in most calls, the list is that of the one before
	values map[string]int
}

type gathered struct {
	listKey
	value   string
	n, rows int64
}

// gatheredValues and gatheredBytes bound what a gathering holds: about 10 MiB with its maps.
const (
	gatheredValues = 1 << 16
	gatheredBytes  = 4 << 20
)

func newGathering(emit func(string, tally)) *gathering {
	return &gathering{emit: emit, lists: map[listKey]map[string]int{}}
}

func (g *gathering) add(step int, list string, value []byte, n, rows int64) error {
	if g.values == nil || g.last.Step != step || g.last.List != list {
		g.last = listKey{step, list}
		if g.values = g.lists[g.last]; g.values == nil {
			g.values = map[string]int{}
			g.lists[g.last] = g.values
		}
	}
	if at, ok := g.values[string(value)]; ok {
		f := &g.found[at]
		f.n, f.rows = f.n+n, f.rows+rows
		return nil
	}
	text := string(value)
	g.values[text] = len(g.found)
	g.found = append(g.found, gathered{g.last, text, n, rows})
	if g.bytes += len(text); len(g.found) >= gatheredValues || g.bytes >= gatheredBytes {
		g.flush()
	}
	return nil
}

// flush emits all, in the order in which it came first.
func (g *gathering) flush() {
	for _, f := range g.found {
		g.emit(place{f.Step, f.List, f.value}.key(), tally{N: f.n, Rows: f.rows})
	}
	for _, values := range g.lists {
		clear(values)
	}
	clear(g.found) // or their texts would stay
	g.found, g.bytes = g.found[:0], 0
}
