package awslambda

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/gowren/gowren/internal/wire"
)

const (
	namePrefix = "gowren-"
	tagName    = "gowren" // of what Prepare makes; its value is the name
)

// nameOf is the name of the function of this configuration for a bucket. Its last parts are hashes of what a function is
// made with.
func (b *Backend) nameOf(region, bucketURL string) string {
	c := b.config
	return fmt.Sprintf("%s%s-%d-%s-%s", namePrefix, c.Arch, c.MemoryMB, hash(struct {
		Payload, Protocol        int
		Region, Arch             string
		Memory, Timeout, Storage int
		From                     int `json:",omitempty"`
		Role                     string
		Subnets, Groups          []string          `json:",omitempty"`
		Tags, Env                map[string]string `json:",omitempty"`
	}{
		payloadVersion, wire.Version, region, c.Arch, c.MemoryMB, int(c.Timeout.Seconds()), c.StorageMB, c.from, c.Role, c.Subnets, c.SecurityGroups, c.Tags, c.Env,
	}), hash(bucketURL))
}

// hash is short: a collision would need some 100,000 configurations in one account.
func hash(v any) string {
	data, err := json.Marshal(v) // with the keys of maps in order
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:5])
}

// partition is the part of AWS that a region is in, as ARNs name it.
func partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

// logGroup is where Lambda keeps what a function prints.
func logGroup(function string) string { return "/aws/lambda/" + function }
