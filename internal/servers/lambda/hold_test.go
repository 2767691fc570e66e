package lambda

import "testing"

const holderVariable = "GOWREN_TEST_LAMBDA_HOLDER"

func hold(*testing.M) int { return 1 }
