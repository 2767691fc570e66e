package lambda

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	golambda "github.com/aws/aws-lambda-go/lambda"
)

// order is what a test tells its function to do.
type order struct{ Do, With string }

// bootstrap is what this test binary does in an execution environment.
func bootstrap(handler string) {
	switch handler {
	case "raw":
		for serveOne() {
		}
	case "go":
		golambda.Start(func(_ context.Context, o order) (string, error) {
			switch o.Do {
			case "fail":
				return "", errors.New(o.With)
			case "panic":
				panic(o.With)
			}
			return o.With, nil
		})
	case "goes":
		os.Exit(3)
	case "never":
		time.Sleep(time.Hour) // select {} alone in a process is a deadlock to the runtime
	case "says":
		post("init/error", strings.NewReader(`{"errorType":"No.Database","errorMessage":"none"}`), "Lambda-Runtime-Function-Error-Type", "No.Database")
		os.Exit(1)
	}
}

const api = "/2018-06-01/runtime/"

func post(path string, body io.Reader, header ...string) int {
	r, err := http.NewRequest(http.MethodPost, "http://"+os.Getenv("AWS_LAMBDA_RUNTIME_API")+api+path, body)
	if err != nil {
		panic(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0
	}
	defer reply.Body.Close()
	_, _ = io.Copy(io.Discard, reply.Body)
	return reply.StatusCode
}

var served int

// serveOne serves an invocation, and speaks the Runtime API by hand.
func serveOne() bool {
	r, err := http.Get("http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + api + "invocation/next")
	if err != nil {
		return false
	}
	payload, err := io.ReadAll(r.Body)
	_ = r.Body.Close()
	if err != nil {
		return false
	}
	served++
	var o order
	if err := json.Unmarshal(payload, &o); err != nil {
		panic(err)
	}
	at := "invocation/" + r.Header.Get("Lambda-Runtime-Aws-Request-Id") + "/"
	if o.Do == "stream" {
		stream(at, o)
		return true
	}
	text, err := act(r, o)
	if err != nil {
		post(at+"error", strings.NewReader(fmt.Sprintf(`{"errorType":"My.Error","errorMessage":%q}`, err)), "Lambda-Runtime-Function-Error-Type", "My.Error")
		return true
	}
	status := post(at+"response", strings.NewReader(text))
	if status != http.StatusAccepted {
		fmt.Println("response refused with", status)
	}
	return true
}

// act does what was ordered.
func act(r *http.Response, o order) (string, error) {
	switch o.Do {
	case "fail":
		return "", errors.New(o.With)
	case "count":
		return strconv.Itoa(served), nil
	case "pid":
		return strconv.Itoa(os.Getpid()), nil
	case "env":
		text, err := json.Marshal(os.Environ())
		return string(text), err
	case "headers":
		text, err := json.Marshal(r.Header)
		return string(text), err
	case "exit":
		fmt.Println("going away")
		status, _ := strconv.Atoi(o.With)
		os.Exit(status)
	case "print":
		fmt.Println(o.With)
	case "hang":
		select {}
	case "until": // a file is there
		untilThere(o.With)
		return `"there"`, nil
	case "append": // a byte to a file, and fail
		f, err := os.OpenFile(o.With, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err == nil {
			_, err = f.WriteString("x")
		}
		return "", errors.Join(err, errors.New("again"), f.Close())
	case "size":
		n, _ := strconv.Atoi(o.With)
		return `"` + strings.Repeat("y", n-2) + `"`, nil
	case "fill":
		for all := [][]byte{}; ; {
			all = append(all, bytes.Repeat([]byte("x"), 1<<20))
		}
	case "beat": // on, until the environment's end, even between invocations
		go func() {
			for i := 0; ; i++ {
				_ = os.WriteFile(o.With, []byte(strconv.Itoa(i)), 0o600)
				time.Sleep(time.Millisecond)
			}
		}()
	case "child":
		cmd := exec.Command("sleep", "1000")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := cmd.Start(); err != nil {
			return "", err
		}
		return strconv.Itoa(cmd.Process.Pid), nil
	case "deaf":
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT)
	}
	return `"ok"`, nil
}

// untilThere waits for a file.
func untilThere(path string) {
	for {
		if _, err := os.Stat(path); err == nil {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// stream answers by streaming: as many pieces as the order says, then what comes after a blank.
func stream(at string, o order) {
	count, end, _ := strings.Cut(o.With, " ")
	n, _ := strconv.Atoi(count)
	r, w := io.Pipe()
	request, err := http.NewRequest(http.MethodPost, "http://"+os.Getenv("AWS_LAMBDA_RUNTIME_API")+api+at+"response", r)
	if err != nil {
		panic(err)
	}
	request.Header.Set("Lambda-Runtime-Function-Response-Mode", "streaming")
	request.Trailer = http.Header{"Lambda-Runtime-Function-Error-Type": nil, "Lambda-Runtime-Function-Error-Body": nil}
	go func() {
		for i := range n {
			_, _ = fmt.Fprintf(w, "piece %d\n", i)
			time.Sleep(time.Millisecond)
		}
		word, with, _ := strings.Cut(end, "=")
		switch word {
		case "fail":
			request.Trailer.Set("Lambda-Runtime-Function-Error-Type", "My.Midway")
			request.Trailer.Set("Lambda-Runtime-Function-Error-Body", base64.StdEncoding.EncodeToString([]byte(`{"errorMessage":"midway"}`)))
		case "exit":
			untilThere(with)
			os.Exit(4)
		case "hang":
			select {}
		case "size":
			n, _ := strconv.Atoi(with)
			_, _ = w.Write(bytes.Repeat([]byte("z"), n))
		case "until":
			untilThere(with)
		case "touch":
			_ = os.WriteFile(with, nil, 0o600)
		}
		_ = w.Close()
	}()
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, reply.Body)
	_ = reply.Body.Close()
}
