package main

import (
	"sort"
	"sync"
	"time"
)

// shownErrors bounds what a run in which everything fails prints.
const shownErrors = 5

type measurement struct {
	mutex        sync.Mutex
	began        time.Time
	requests     int64
	chunks       int64
	errors       int64
	firstErrors  []string
	latencies    []time.Duration
	firstContent []time.Duration
}

func newMeasurement() *measurement { return &measurement{began: time.Now()} }

func (m *measurement) failed(err error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.errors++
	if len(m.firstErrors) < shownErrors {
		m.firstErrors = append(m.firstErrors, err.Error())
	}
}

// add takes what one connection has seen; connections keep their own counts, so that measuring does not make them wait for each other.
func (m *measurement) add(one *connectionMeasurement) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.requests += one.requests
	m.chunks += one.chunks
	m.latencies = append(m.latencies, one.latencies...)
	m.firstContent = append(m.firstContent, one.firstContent...)
}

type connectionMeasurement struct {
	requests     int64
	chunks       int64
	latencies    []time.Duration
	firstContent []time.Duration
}

type quantiles struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
}

// summary is what the bench reads. Times are in milliseconds.
type summary struct {
	Seconds      float64    `json:"seconds"`
	Requests     int64      `json:"requests"`
	Chunks       int64      `json:"chunks"`
	Errors       int64      `json:"errors"`
	FirstErrors  []string   `json:"firstErrors"`
	Latency      *quantiles `json:"latency,omitempty"`
	FirstContent *quantiles `json:"firstContent,omitempty"`
}

func (m *measurement) summary() summary {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return summary{
		Seconds:      time.Since(m.began).Seconds(),
		Requests:     m.requests,
		Chunks:       m.chunks,
		Errors:       m.errors,
		FirstErrors:  append([]string{}, m.firstErrors...),
		Latency:      quantilesOf(m.latencies),
		FirstContent: quantilesOf(m.firstContent),
	}
}

func quantilesOf(durations []time.Duration) *quantiles {
	if len(durations) == 0 {
		return nil
	}
	sort.Slice(durations, func(a, b int) bool { return durations[a] < durations[b] })
	at := func(share float64) float64 {
		return float64(durations[int(share*float64(len(durations)-1))].Nanoseconds()) / 1e6
	}
	return &quantiles{P50: at(0.50), P99: at(0.99)}
}
