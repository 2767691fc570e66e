package progress

import "strings"

// How wide the bar itself is, its brackets included.
const (
	narrowestBar = 12
	widestBar    = 42
)

// piece is a part of the bar's line. Pieces stand in the order of the line; which of them there is room for goes by rank.
type piece struct {
	rank   int    // the lowest is the last to be left out
	before string // what separates it from the piece before
	text   string
}

// bar returns the line for so many columns, never wider. Narrow terminals get the most telling parts, and the graphic
// bar gets the room that remains.
func (s status) bar(columns int) string {
	if columns <= 0 {
		return ""
	}
	name := truncate(s.name, max(columns/3, 8))
	pieces := []piece{
		{1, "", name + ":"},
		{0, " ", s.doneText()},
		{5, ", ", s.queuedText()},
		{4, ", ", s.runningText()},
		{3, ", ", s.rateText()},
		{2, ", ", s.failedText()},
		{7, ", ", s.retriedText()},
		{9, ", ", s.copiedText()},
		{8, ", ", s.lostText()},
		{10, ", ", s.costText()},
		{6, " ", s.othersText()},
	}
	graphic := -1
	if s.bounded() {
		graphic = 1
		pieces = []piece{
			{1, "", name},
			{4, " ", strings.Repeat(" ", narrowestBar)},
			{5, " ", commas(s.Done) + "/" + commas(s.total())},
			{0, " ", s.percentText()},
			{6, ", ", s.rateText()},
			{3, ", ", s.leftText()},
			{2, ", ", s.failedText()},
			{8, ", ", s.retriedText()},
			{10, ", ", s.copiedText()},
			{9, ", ", s.lostText()},
			{11, ", ", s.costText()},
			{7, " ", s.othersText()},
		}
	}
	room := choose(pieces, columns)
	if graphic >= 0 && pieces[graphic].text != "" {
		pieces[graphic].text = s.graphic(min(narrowestBar+room, widestBar))
	}
	var b strings.Builder
	for _, p := range pieces {
		if p.text == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(p.before)
		}
		b.WriteString(p.text)
	}
	return b.String()
}

// choose empties the pieces for which there is no room, and returns the columns that remain.
func choose(pieces []piece, room int) int {
	for rank := range pieces {
		for i, p := range pieces {
			if p.rank != rank || p.text == "" {
				continue
			}
			if need := columnsOf(p.before) + columnsOf(p.text); need <= room {
				room -= need
			} else {
				pieces[i].text = ""
			}
		}
	}
	return room
}

// graphic draws what is done of a bounded job in so many columns.
func (c Counts) graphic(columns int) string {
	inner := columns - 2
	line := strings.Repeat("=", c.share(inner))
	if len(line) < inner {
		if c.Done > 0 {
			line += ">"
		}
		line += strings.Repeat(" ", inner-len(line))
	}
	return "[" + line + "]"
}
