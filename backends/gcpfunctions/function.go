package gcpfunctions

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"

	"cloud.google.com/go/functions/apiv2/functionspb"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/gowren/gowren/internal/wire"
)

// ourLabel is the label without which a function of the name is not this driver's. Its value is the prefix of the names.
const ourLabel = "gowren"

// entryPoint is the exported function of the source module.
const entryPoint = "Gowren"

// function is the function that a configuration and a bucket make, without its source. Its name carries all that it is
// deployed for: protocol, processor, memory, and a hash of the rest. So a function is never changed into another under a
// driver that uses it.
type function struct {
	id   string
	spec *functionspb.Function
}

func (c Config) function(bucket string) (function, error) {
	env := maps.Clone(c.Env)
	if env == nil {
		env = map[string]string{}
	}
	maps.Copy(env, c.environment(bucket))
	labels := maps.Clone(c.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[ourLabel] = c.Prefix
	f := function{spec: &functionspb.Function{
		Description: "Workers of gowren. Deployed by its driver; delete it whenever no job runs.",
		Environment: functionspb.Environment_GEN_2,
		Labels:      labels,
		BuildConfig: &functionspb.BuildConfig{EntryPoint: entryPoint},
		ServiceConfig: &functionspb.ServiceConfig{
			AvailableMemory:               strconv.Itoa(c.MemoryMB) + "Mi",
			AvailableCpu:                  strconv.Itoa(c.CPU),
			TimeoutSeconds:                int32(c.Timeout.Seconds()),
			MaxInstanceCount:              int32(c.MaxInstances),
			MinInstanceCount:              int32(c.MinInstances),
			MaxInstanceRequestConcurrency: 1,
			ServiceAccountEmail:           c.ServiceAccount,
			VpcConnector:                  c.VPCConnector,
			IngressSettings:               ingresses[c.Ingress],
			EnvironmentVariables:          env,
			AllTrafficOnLatestRevision:    true,
		},
	}}
	if c.BuildServiceAccount != "" {
		f.spec.BuildConfig.ServiceAccount = "projects/" + c.Project + "/serviceAccounts/" + c.BuildServiceAccount
	}
	// The encoding has spaces that differ from build to build, and is the same without them.
	var all bytes.Buffer
	data, err := protojson.Marshal(f.spec)
	if err == nil {
		err = json.Compact(&all, data)
	}
	if err != nil {
		return f, fmt.Errorf("%s: %w", scheme, err)
	}
	all.WriteString(c.Runtime)
	if c.from > 0 { // it is that configuration's alone
		fmt.Fprintf(&all, "from %d", c.from)
	}
	sum := sha256.Sum256(all.Bytes())
	f.id = fmt.Sprintf("%s-v%d-amd64-%d-%s", c.Prefix, wire.Version, c.MemoryMB, hex.EncodeToString(sum[:4]))
	f.spec.Name = c.parent() + "/functions/" + f.id
	return f, nil
}
