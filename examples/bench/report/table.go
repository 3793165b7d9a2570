package main

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// A table is a Markdown table whose columns are also aligned in plain text.
type table struct {
	rows   [][]string
	widths []int
}

func newTable(head ...string) *table {
	t := &table{widths: slices.Repeat([]int{2}, len(head))} // the minimum width of a rule
	t.add(head...)
	return t
}

// add adds a row, which must have as many cells as the head.
func (t *table) add(cells ...string) {
	t.rows = append(t.rows, cells)
	for i, cell := range cells {
		t.widths[i] = max(t.widths[i], utf8.RuneCountInString(cell))
	}
}

func (t *table) print(text *strings.Builder) {
	for i, row := range t.rows {
		t.printRow(text, row)
		if i == 0 {
			rule := make([]string, len(row))
			for column, width := range t.widths {
				rule[column] = strings.Repeat("-", width-1) + ":"
			}
			rule[0] = strings.Repeat("-", t.widths[0])
			t.printRow(text, rule)
		}
	}
}

// printRow aligns the first column to the left and the others to the right.
func (t *table) printRow(text *strings.Builder, row []string) {
	for i, cell := range row {
		space := strings.Repeat(" ", t.widths[i]-utf8.RuneCountInString(cell))
		if i == 0 {
			fmt.Fprint(text, "| ", cell, space, " |")
		} else {
			fmt.Fprint(text, " ", space, cell, " |")
		}
	}
	fmt.Fprintln(text)
}
