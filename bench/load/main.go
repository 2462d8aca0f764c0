// Command load asks a relay for completions, checks every answer, and prints what it measured as one line of JSON.
//
// Shapes:
//
//	unary   closed loop: each connection asks again as soon as it has its answer
//	stream  the same with server-sent events; the starts are spread, so that streams do not march in step
//	hold    opens all streams, prints "open", keeps them open until a line arrives on standard input, then closes them
//	mixed   unary, whole streams, abandoned streams and new connections, every request with names of its own: what leaks, shows
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"sync/atomic"
	"time"
)

type options struct {
	address       string
	shape         string
	connections   int
	duration      time.Duration
	requests      int64
	promptBytes   int
	typographic   bool
	chunks        int
	interval      time.Duration
	usage         bool
	unknownModels bool
}

// longestRun ends a run whose relay has stopped answering, whatever else was asked for.
const longestRun = 30 * time.Minute

func main() {
	var o options
	flag.StringVar(&o.address, "address", "", "host:port to ask")
	flag.StringVar(&o.shape, "shape", "unary", "unary, stream, hold or mixed")
	flag.IntVar(&o.connections, "connections", 1, "connections, each with one request at a time")
	flag.DurationVar(&o.duration, "duration", 0, "how long to begin new requests; 0: until -requests are done")
	flag.Int64Var(&o.requests, "requests", 0, "how many requests to make; 0: as many as fit into -duration")
	flag.IntVar(&o.promptBytes, "prompt-bytes", 600, "size of the request body, about")
	flag.BoolVar(&o.typographic, "typographic", false, "a prompt with typographic quotes and dashes")
	flag.IntVar(&o.chunks, "chunks", 50, "content chunks of a stream")
	flag.DurationVar(&o.interval, "interval", 20*time.Millisecond, "time between two chunks")
	flag.BoolVar(&o.usage, "usage", true, "ask for usage at the end of a stream")
	flag.BoolVar(&o.unknownModels, "unknown-models", false, "mixed: also ask for models that nobody serves, and expect 404")
	flag.Parse()
	if o.address == "" || o.connections < 1 || (o.duration == 0 && o.requests == 0 && o.shape != "hold") {
		log.Fatal("load needs -address, and -duration or -requests; see -help")
	}
	time.AfterFunc(longestRun, func() { log.Fatal("load ran into its longest run") })

	var result *measurement
	switch o.shape {
	case "unary", "mixed":
		result = closedLoop(o)
	case "stream":
		result = streams(o)
	case "hold":
		result = hold(o)
	default:
		log.Fatalf("no such shape: %s", o.shape)
	}
	if err := json.NewEncoder(os.Stdout).Encode(result.summary()); err != nil {
		log.Fatal(err)
	}
}

// allowance hands out requests until the time or the number is used up.
type allowance struct {
	until time.Time
	limit int64
	taken atomic.Int64
}

func newAllowance(o options) *allowance {
	a := &allowance{limit: o.requests}
	if o.duration > 0 {
		a.until = time.Now().Add(o.duration)
	}
	return a
}

func (a *allowance) next() (int64, bool) {
	if !a.until.IsZero() && time.Now().After(a.until) {
		return 0, false
	}
	n := a.taken.Add(1)
	return n, a.limit == 0 || n <= a.limit
}

func fail(format string, arguments ...any) error { return fmt.Errorf(format, arguments...) }
