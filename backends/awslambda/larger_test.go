package awslambda_test

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/awslambda"
	standin "github.com/gowren/gowren/internal/servers/lambda"
	"github.com/gowren/gowren/mapper"
)

// greed takes so many MB of memory. Where its worker may not hold as much, it waits to be killed.
var greed = mapper.Func("awslambda/greed", func(ctx context.Context, mb int) (int, error) {
	if mb == 0 {
		return 0, nil
	}
	block, err := syscall.Mmap(-1, 0, mb<<20, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return 0, err
	}
	for i := 0; i < len(block); i += 4096 {
		block[i] = 1
	}
	if int64(mb)<<20 > debug.SetMemoryLimit(-1) { // which is a little less than the worker's
		<-ctx.Done()
	}
	return mb, syscall.Munmap(block)
})

// climb returns the backends from b up that are larger, and why there is no more.
func climb(t *testing.T, b backends.Backend) (all []*awslambda.Backend, end error) {
	t.Helper()
	for {
		e, ok := b.(backends.Enlarger)
		if !ok {
			t.Fatalf("%T is no Enlarger", b)
		}
		larger, err := e.Enlarge()
		if err != nil {
			return all, err
		}
		t.Cleanup(func() {
			if err := larger.Close(); err != nil {
				t.Error(err)
			}
		})
		all, b = append(all, larger.(*awslambda.Backend)), larger //nolint:forcetypeassert // it is that
	}
}

// TestLargerSizes: memory doubles up to what Lambda has, and so does the price. The functions are the configuration's own.
func TestLargerSizes(t *testing.T) {
	t.Parallel()
	c := newCloud(t, standin.Options{RoleDelay: -1})
	b := c.backend(t, awslambda.Config{MemoryMB: 1769, Reserved: 5})
	all, end := climb(t, b)
	if !errors.Is(end, backends.ErrInvalid) || !strings.Contains(end.Error(), "10240 MB, which is the most") {
		t.Error(end)
	}
	names := []string{b.NameOf("us-east-1", "s3://b")}
	for i, mb := range []int{3538, 7076, 10240} {
		if i >= len(all) {
			t.Fatalf("there are %d larger ones", len(all))
		}
		name := all[i].NameOf("us-east-1", "s3://b")
		own := c.backend(t, awslambda.Config{MemoryMB: mb}).NameOf("us-east-1", "s3://b")
		if !strings.Contains(name, fmt.Sprintf("-%d-", mb)) || slices.Contains(names, name) || name == own {
			t.Errorf("%d MB: %s, beside %v and %s", mb, name, names, own)
		}
		names = append(names, name)
		if want := b.Limits().PricePerSecond * float64(mb) / 1769; all[i].Limits().PricePerSecond/want > 1.001 || all[i].Limits().PricePerSecond/want < 0.999 {
			t.Errorf("%d MB cost %g a second, want %g", mb, all[i].Limits().PricePerSecond, want)
		}
	}
	again, _ := climb(t, b)
	if len(again) != 3 || again[2].NameOf("us-east-1", "s3://b") != names[3] {
		t.Errorf("another time there are others")
	}
}

// TestMoreMemory runs a task that needs more memory than its function has. A larger one is made, and used, and Destroy
// removes it too.
func TestMoreMemory(t *testing.T) {
	t.Parallel()
	c := newCloud(t, standin.Options{RoleDelay: -1, Unconfined: true})
	bucket := newBucket(t)
	b := c.backend(t, awslambda.Config{Concurrency: 2, MemoryMB: 512})
	var s mapper.Stats
	ex := open(t, b, bucket, mapper.Options{
		BatchSize: 2, Speculation: -1, // a copy would run out of memory too, and be another attempt
		Stats: func(told mapper.Stats) { s = told },
	})
	const much = 700
	inputs := []int{0, 0, much, 0}
	_, err := mapper.Map(t.Context(), ex, greed, inputs)
	if e, ok := errors.AsType[*mapper.TaskError](err); !ok || !errors.Is(err, mapper.ErrOutOfMemory) || e.Attempts != 3 || e.Index != 2 {
		t.Errorf("without the option: %v", err)
	}
	larger, _ := climb(t, b)
	name, bigger := b.Function(), larger[0].NameOf(c.Region, bucket.URL())
	sdk := lambda.NewFromConfig(c.sdk())
	if _, err := sdk.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: &bigger}); err == nil {
		t.Error("there is a larger function that nobody has asked for")
	}
	got, err := mapper.Map(t.Context(), ex.With(mapper.Options{MoreMemory: true}), greed, inputs)
	if err != nil || !slices.Equal(got, inputs) {
		t.Fatalf("%v, %v", got, err)
	}
	if s.Retried != 1 || s.Done != 4 {
		t.Errorf("%+v", s)
	}
	f, err := sdk.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: &bigger})
	if err != nil || *f.Configuration.MemorySize != 1024 {
		t.Errorf("the larger function: %v", err)
	}
	got, err = mapper.Map(t.Context(), ex.With(mapper.Options{MoreMemory: true, Detached: true}), greed, inputs)
	if err != nil || !slices.Equal(got, inputs) {
		t.Errorf("detached: %v, %v", got, err)
	}
	wantEmpty(t, bucket)
	if err := ex.Destroy(t.Context()); err != nil {
		t.Error(err)
	}
	c.gone(t, name)
	c.gone(t, bigger)
}
