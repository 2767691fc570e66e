package serialize_test

import (
	"fmt"

	"github.com/gowren/gowren/serialize"
)

func ExampleMarshal() {
	type sample struct {
		Label    string
		Features []float64
	}
	in := sample{Label: "cat", Features: []float64{0.5, 2}}
	data, err := serialize.Marshal(&in)
	if err != nil {
		panic(err)
	}
	var out sample
	if err := serialize.Unmarshal(data, &out); err != nil {
		panic(err)
	}
	fmt.Printf("%d bytes: %+v\n", len(data), out)
	// Output: 40 bytes: {Label:cat Features:[0.5 2]}
}

func ExampleCoder_Append() {
	c := serialize.NewCoder() // one a goroutine
	var buf []byte
	for i := range 3 {
		var err error
		if buf, err = c.Append(buf[:0], &i); err != nil {
			panic(err)
		}
		var n int
		if err := c.Decode(buf, &n); err != nil {
			panic(err)
		}
		fmt.Println(n)
	}
	// Output:
	// 0
	// 1
	// 2
}
