//go:build clouds

package clouds

import (
	// azstore
	_ "github.com/gowren/gowren/storage/gcsstore"
	_ "github.com/gowren/gowren/storage/redisstore"
	_ "github.com/gowren/gowren/storage/s3store"
)
