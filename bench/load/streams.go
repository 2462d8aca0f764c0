package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"understudy.dev/bench/conversation"
)

// streams runs the shape stream.
func streams(o options) *measurement {
	result := newMeasurement()
	requests := newAllowance(o)
	r := streamRequestOf(o)
	lasts := time.Duration(o.chunks) * o.interval
	var wait sync.WaitGroup
	for i := range o.connections {
		wait.Go(func() {
			// Spread over the life of one stream: at any time some begin, some end, most run.
			time.Sleep(lasts * time.Duration(i) / time.Duration(o.connections))
			c := &connection{address: o.address}
			defer c.close()
			mine := &connectionMeasurement{}
			defer result.add(mine)
			for {
				if _, more := requests.next(); !more {
					return
				}
				began := time.Now()
				if err := streamRequest(c, r, streamExpectation{chunks: o.chunks, usage: o.usage}, mine); err != nil {
					result.failed(err)
					continue
				}
				mine.requests++
				mine.latencies = append(mine.latencies, time.Since(began))
			}
		})
	}
	wait.Wait()
	return result
}

// hold runs the shape hold. A stream that ends before it is told to is an error.
func hold(o options) *measurement {
	result := newMeasurement()
	r := streamRequestOf(o)
	release := make(chan struct{})
	var open, done sync.WaitGroup
	for i := range o.connections {
		open.Add(1)
		done.Go(func() {
			// Opened over two seconds: the burst of opening is not what is measured.
			time.Sleep(2 * time.Second * time.Duration(i) / time.Duration(o.connections))
			c := &connection{address: o.address}
			defer c.close()
			mine := &connectionMeasurement{}
			defer result.add(mine)
			opened := sync.OnceFunc(open.Done)
			defer opened()
			err := streamRequest(c, r, streamExpectation{chunks: o.chunks, opened: opened, release: release}, mine)
			if err != nil {
				result.failed(err)
				return
			}
			mine.requests++
		})
	}
	open.Wait()
	fmt.Println("open")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	close(release)
	done.Wait()
	return result
}

func streamRequestOf(o options) request {
	return newRequest(o.address, requestOptions{
		promptBytes: o.promptBytes, typographic: o.typographic, model: model, stream: true, usage: o.usage, chunks: o.chunks, intervalUs: o.interval.Microseconds(),
	})
}

type streamExpectation struct {
	chunks int
	usage  bool
	// abandonAfter content chunks the stream is left, and its connection closed; 0: never.
	abandonAfter int
	// opened is called at the first content.
	opened func()
	// release ends a stream that is held; a held stream must not end by itself.
	release <-chan struct{}
}

type streamChunk struct {
	Fingerprint string          `json:"system_fingerprint"`
	Error       json.RawMessage `json:"error"`
	Usage       *struct {
		TotalTokens int `json:"total_tokens"`
	} `json:"usage"`
	Choices []struct {
		Delta struct {
			Content string `json:"content"`
		} `json:"delta"`
		FinishReason string `json:"finish_reason"`
	} `json:"choices"`
}

// streamRequest reads one stream and checks it: every token in its place, the finish reason, the usage, [DONE].
func streamRequest(c *connection, r request, expect streamExpectation, mine *connectionMeasurement) error {
	began := time.Now()
	return c.ask(r.bytes, func(response *http.Response) error {
		if response.StatusCode != http.StatusOK {
			body, _ := io.ReadAll(response.Body)
			return fail("status %d: %.300s", response.StatusCode, body)
		}
		if kind := response.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/event-stream") {
			return fail("the answer is %q and not an event stream", kind)
		}
		lines := bufio.NewReaderSize(response.Body, 2048)
		contents, finished, usage := 0, false, false
		for {
			line, err := lines.ReadSlice('\n')
			if err != nil {
				return fail("the stream ended after %d of %d chunks, without [DONE]: %w", contents, expect.chunks, err)
			}
			arrived := time.Now()
			data, isData := bytes.CutPrefix(bytes.TrimRight(line, "\r\n"), []byte("data: "))
			if !isData {
				continue
			}
			c.stay()
			if string(data) == "[DONE]" {
				break
			}
			var chunk streamChunk
			if err := json.Unmarshal(data, &chunk); err != nil {
				return fail("a chunk is not JSON: %w: %.300s", err, data)
			}
			if chunk.Error != nil {
				return fail("an error event after %d chunks: %.300s", contents, data)
			}
			usage = usage || chunk.Usage != nil && chunk.Usage.TotalTokens > 0
			for _, choice := range chunk.Choices {
				finished = finished || choice.FinishReason == "stop"
				if choice.Delta.Content == "" {
					continue
				}
				if choice.Delta.Content != conversation.Token(contents) {
					return fail("chunk %d is %q, wanted %q", contents, choice.Delta.Content, conversation.Token(contents))
				}
				if contents == 0 {
					mine.firstContent = append(mine.firstContent, arrived.Sub(began)-upstreamWait(chunk.Fingerprint))
				}
				contents++
				mine.chunks++
				if contents == 1 && expect.opened != nil {
					expect.opened()
				}
			}
			if expect.abandonAfter > 0 && contents >= expect.abandonAfter {
				c.close()
				return nil
			}
			select {
			case <-expect.release:
				c.close()
				return nil
			default:
			}
		}
		if expect.release != nil {
			return fail("a stream that was to stay open ended after %d chunks", contents)
		}
		if contents != expect.chunks || !finished || usage != expect.usage {
			return fail("the stream is not whole: %d of %d chunks, finished %t, usage %t", contents, expect.chunks, finished, usage)
		}
		// The chunked body's own end, so that the connection can be used again.
		if _, err := io.Copy(io.Discard, lines); err != nil {
			return fail("the stream has no end: %w", err)
		}
		return nil
	})
}

// upstreamWait is how long the upstream took by its own plan, as each chunk's fingerprint tells; the rest is the way there and back.
func upstreamWait(fingerprint string) time.Duration {
	nanoseconds, err := strconv.ParseInt(strings.TrimPrefix(fingerprint, "fp_"), 10, 64)
	if err != nil {
		return 0
	}
	return time.Duration(nanoseconds)
}
