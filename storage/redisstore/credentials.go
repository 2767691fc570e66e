package redisstore

import "os"

// passwordVariable is the only place of the password: URLs are logged, and travel.
const passwordVariable = "GOWREN_REDIS_PASSWORD"

func password() string { return os.Getenv(passwordVariable) }
