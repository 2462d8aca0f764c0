// Command upstream is a model provider that costs next to nothing, so that what is measured is the proxy in front of it.
// It answers POST /v1/chat/completions as OpenAI does: unary, or as server-sent events when the body asks for a stream.
//
// A request paces its own stream with OpenAI's metadata field, which every relay hands on:
// "metadata":{"chunks":"50","interval_us":"20000"}.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const (
	// A prompt of 100 kB is measured; ten times that leaves room and still bounds a mistake.
	maxBodyBytes = 1 << 20
	// Longer than any step of the bench, so that no pooled connection is closed under a relay that is about to use it.
	idleTimeout = 10 * time.Minute
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address to listen on; port 0 takes a free one")
	attached := flag.Bool("attached", false, "end when standard input does: a bench that is killed then leaves nothing behind")
	flag.Parse()
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat/completions", chatCompletions)
	server := &http.Server{Handler: mux, IdleTimeout: idleTimeout, ReadHeaderTimeout: 10 * time.Second}
	fmt.Printf("listening on %s\n", listener.Addr())

	stopped, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if *attached {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			stop()
		}()
	}
	go func() {
		<-stopped.Done()
		_ = server.Close()
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
}
