package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"understudy.dev/bench/conversation"
)

// closedLoop runs the shapes unary and mixed.
func closedLoop(o options) *measurement {
	result := newMeasurement()
	requests := newAllowance(o)
	fixed := newRequest(o.address, requestOptions{promptBytes: o.promptBytes, typographic: o.typographic, model: model})
	var wait sync.WaitGroup
	for range o.connections {
		wait.Go(func() {
			c := &connection{address: o.address}
			defer c.close()
			mine := &connectionMeasurement{}
			defer result.add(mine)
			for {
				n, more := requests.next()
				if !more {
					return
				}
				began := time.Now()
				var err error
				if o.shape == "mixed" {
					err = mixedRequest(c, o, n, mine)
				} else {
					err = unaryRequest(c, fixed)
				}
				if err != nil {
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

func unaryRequest(c *connection, r request) error {
	return c.ask(r.bytes, func(response *http.Response) error {
		body, err := io.ReadAll(response.Body)
		if err != nil {
			return fail("reading the answer: %w", err)
		}
		if response.StatusCode != http.StatusOK {
			return fail("status %d: %.300s", response.StatusCode, body)
		}
		var completion struct {
			Fingerprint string `json:"system_fingerprint"`
			Choices     []struct {
				Message struct {
					Content string `json:"content"`
				} `json:"message"`
			} `json:"choices"`
		}
		if err := json.Unmarshal(body, &completion); err != nil {
			return fail("the answer is not JSON: %w: %.300s", err, body)
		}
		if len(completion.Choices) != 1 || completion.Choices[0].Message.Content != conversation.Answer {
			return fail("the answer is not the upstream's: %.300s", body)
		}
		if completion.Fingerprint != r.fingerprint {
			return fail("the prompt did not arrive as it was sent: %s, wanted %s", completion.Fingerprint, r.fingerprint)
		}
		return nil
	})
}

const (
	// Every so many requests a connection is made anew.
	requestsPerConnection = 100
	mixedStreamChunks     = 5
	// An abandoned stream would go on for this many chunks, 1 ms apart, if nobody told the upstream.
	abandonedStreamChunks = 10_000
)

// mixedRequest makes the n-th request of the shape mixed: of ten, seven are unary, one is a whole stream, one is a stream that is
// abandoned at its first content, one asks for a model that nobody serves (or is unary too).
func mixedRequest(c *connection, o options, n int64, mine *connectionMeasurement) error {
	if n%requestsPerConnection == 0 {
		c.close()
	}
	own := strconv.FormatInt(n, 36) + "-" + strconv.FormatInt(time.Now().UnixNano(), 36)
	made := requestOptions{promptBytes: o.promptBytes, typographic: o.typographic, model: model, own: own, usage: o.usage}
	switch kind := n % 10; {
	case kind == 7:
		made.stream, made.chunks = true, mixedStreamChunks
		return streamRequest(c, newRequest(o.address, made), streamExpectation{chunks: made.chunks, usage: o.usage}, mine)
	case kind == 8:
		made.stream, made.chunks, made.intervalUs = true, abandonedStreamChunks, 1000
		return streamRequest(c, newRequest(o.address, made), streamExpectation{chunks: made.chunks, abandonAfter: 1}, mine)
	case kind == 9 && o.unknownModels:
		made.model = fmt.Sprintf("nobody-serves-%s", own)
		return expectNotFound(c, newRequest(o.address, made))
	default:
		return unaryRequest(c, newRequest(o.address, made))
	}
}

func expectNotFound(c *connection, r request) error {
	return c.ask(r.bytes, func(response *http.Response) error {
		body, err := io.ReadAll(response.Body)
		if err != nil {
			return fail("reading the answer: %w", err)
		}
		if response.StatusCode != http.StatusNotFound {
			return fail("an unknown model was answered with status %d: %.300s", response.StatusCode, body)
		}
		return nil
	})
}
