//go:build clouds

package clouds

import (
	_ "github.com/gowren/gowren/backends/awslambda"
	_ "github.com/gowren/gowren/backends/azurefunctions"
	_ "github.com/gowren/gowren/backends/gcpfunctions"
	_ "github.com/gowren/gowren/backends/httpworker"
	_ "github.com/gowren/gowren/storage/azstore"
	_ "github.com/gowren/gowren/storage/gcsstore"
	_ "github.com/gowren/gowren/storage/redisstore"
	_ "github.com/gowren/gowren/storage/s3store"
)
