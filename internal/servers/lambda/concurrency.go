package lambda

import (
	"net/http"
	"time"
)

// unreserved is how many invocations may run at once of functions without a reserve. The caller holds s.mu.
func (s *Server) unreserved() int {
	n := s.options.Concurrency
	for _, f := range s.functions {
		if f.reserved != nil {
			n -= *f.reserved
		}
	}
	return n
}

func putFunctionConcurrency(c *call) (int, any, error) {
	var in struct{ ReservedConcurrentExecutions *int }
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	if err := c.control("lambda:PutFunctionConcurrency"); err != nil {
		return 0, nil, err
	}
	n := in.ReservedConcurrentExecutions
	if n == nil || *n < 0 {
		return 0, nil, constraint("reservedConcurrentExecutions", n, "Member must have value greater than or equal to 0")
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	f, err := c.find(c.r.PathValue("name"))
	if err != nil {
		return 0, nil, err
	}
	left := c.s.unreserved() - *n
	if f.reserved != nil {
		left += *f.reserved
	}
	if least := min(100, c.s.options.Concurrency); left < least {
		return 0, nil, invalid("Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [%d].", least)
	}
	f.reserved = n
	return http.StatusOK, map[string]int{"ReservedConcurrentExecutions": *n}, nil
}

func getFunctionConcurrency(c *call, f *function) (int, any, error) {
	reply := map[string]int{}
	if f.reserved != nil {
		reply["ReservedConcurrentExecutions"] = *f.reserved
	}
	return http.StatusOK, reply, nil
}

func deleteFunctionConcurrency(c *call, f *function) (int, any, error) {
	f.reserved = nil
	return http.StatusNoContent, nil, nil
}

func getAccountSettings(c *call) (int, any, error) {
	if err := c.control("lambda:GetAccountSettings"); err != nil {
		return 0, nil, err
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	var size int64
	for _, f := range c.s.functions {
		size += f.config.CodeSize
	}
	return http.StatusOK, map[string]map[string]int64{
		"AccountLimit": {
			"TotalCodeSize": 75 << 30, "CodeSizeUnzipped": largestUnzipped, "CodeSizeZipped": largestZip,
			"ConcurrentExecutions": int64(c.s.options.Concurrency), "UnreservedConcurrentExecutions": int64(c.s.unreserved()),
		},
		"AccountUsage": {"TotalCodeSize": size, "FunctionCount": int64(len(c.s.functions))},
	}, nil
}

// eventConfig is what becomes of a function's Events.
type eventConfig struct {
	MaximumRetryAttempts     *int `json:",omitempty"`
	MaximumEventAgeInSeconds *int `json:",omitempty"`
	changed                  time.Time
}

// retries is how often an Event is delivered again after a function error.
func (f *function) retries() int {
	if f.event != nil && f.event.MaximumRetryAttempts != nil {
		return *f.event.MaximumRetryAttempts
	}
	return 2
}

func putFunctionEventInvokeConfig(c *call) (int, any, error) {
	var in eventConfig
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	if err := c.control("lambda:PutFunctionEventInvokeConfig"); err != nil {
		return 0, nil, err
	}
	if err := between("maximumRetryAttempts", in.MaximumRetryAttempts, 0, 2); err != nil {
		return 0, nil, err
	}
	if err := between("maximumEventAgeInSeconds", in.MaximumEventAgeInSeconds, 60, 21600); err != nil {
		return 0, nil, err
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	f, err := c.find(c.r.PathValue("name"))
	if err != nil {
		return 0, nil, err
	}
	in.changed = time.Now()
	f.event = &in
	return http.StatusOK, f.eventReply(), nil
}

func (f *function) eventReply() any {
	return struct {
		eventConfig
		LastModified float64 // seconds
		FunctionArn  string
	}{*f.event, float64(f.event.changed.UnixMilli()) / 1000, f.config.FunctionArn + ":$LATEST"}
}

func getFunctionEventInvokeConfig(c *call) (int, any, error) {
	f, err := c.withEvents("lambda:GetFunctionEventInvokeConfig")
	defer c.s.mu.Unlock()
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, f.eventReply(), nil
}

func deleteFunctionEventInvokeConfig(c *call) (int, any, error) {
	f, err := c.withEvents("lambda:DeleteFunctionEventInvokeConfig")
	defer c.s.mu.Unlock()
	if err != nil {
		return 0, nil, err
	}
	f.event = nil
	return http.StatusNoContent, nil, nil
}

// withEvents returns a function that has a configuration of its Events. It leaves s.mu locked.
func (c *call) withEvents(action string) (*function, error) {
	err := c.control(action)
	c.s.mu.Lock()
	if err != nil {
		return nil, err
	}
	f, err := c.find(c.r.PathValue("name"))
	if err == nil && f.event == nil {
		err = refuse(http.StatusNotFound, "ResourceNotFoundException", "The function %s:$LATEST doesn't have an EventInvokeConfig", f.config.FunctionArn)
	}
	return f, err
}
