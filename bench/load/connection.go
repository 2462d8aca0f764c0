package main

import (
	"bufio"
	"net"
	"net/http"
	"time"
)

const (
	dialTimeout = 5 * time.Second
	// Far above anything that is measured: an answer that takes longer is a failure, not a number.
	answerTimeout = 30 * time.Second
)

// connection is one HTTP/1.1 connection that is kept alive. net/http's own client would take two goroutines and several
// times the CPU for it, which the relays under test need themselves on a small machine.
type connection struct {
	address string
	socket  net.Conn
	reader  *bufio.Reader
}

// ask writes the request and hands the answer to read, which reads its body to the end, or returns an error.
func (c *connection) ask(request []byte, read func(*http.Response) error) error {
	if c.socket == nil {
		socket, err := net.DialTimeout("tcp", c.address, dialTimeout)
		if err != nil {
			return err
		}
		c.socket = socket
		c.reader = bufio.NewReaderSize(socket, 8192)
	}
	_ = c.socket.SetDeadline(time.Now().Add(answerTimeout))
	if _, err := c.socket.Write(request); err != nil {
		c.close()
		return fail("writing the request: %w", err)
	}
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		c.close()
		return fail("reading the answer's head: %w", err)
	}
	err = read(response)
	if err != nil || response.Close {
		// Before the body's Close, which reads on to its end.
		c.close()
	}
	_ = response.Body.Close()
	return err
}

// stay puts off the deadline of an answer that is being read.
func (c *connection) stay() { _ = c.socket.SetReadDeadline(time.Now().Add(answerTimeout)) }

func (c *connection) close() {
	if c.socket != nil {
		_ = c.socket.Close()
		c.socket = nil
	}
}
