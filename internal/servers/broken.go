package servers

import (
	"context"
	"errors"
	"io"
)

type ruleKey struct{}

// withRule notes the rule that applies to a request.
func withRule(ctx context.Context, rule *Rule) context.Context {
	return context.WithValue(ctx, ruleKey{}, rule)
}

// ruleOf returns the rule that applies to a request, or nil.
func ruleOf(ctx context.Context) *Rule {
	rule, _ := ctx.Value(ruleKey{}).(*Rule)
	return rule
}

var errCut = errors.New("the body is cut, as a rule says")

// broken is a body that has a fault after left bytes.
type broken struct {
	io.ReadCloser
	fault Fault
	left  int64
	wait  func() // until the client gives up
}

func (b *broken) Read(p []byte) (int, error) {
	if b.fault != FlipAnswer {
		if b.left == 0 {
			if b.fault == StallAt {
				b.wait()
			}
			return 0, errCut
		}
		p = p[:min(int64(len(p)), b.left)]
	}
	n, err := b.ReadCloser.Read(p)
	if 0 <= b.left && b.left < int64(n) { // it is a flip
		p[b.left] ^= 1
	}
	b.left -= int64(n)
	return n, err
}
