package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"understudy.dev/bench/conversation"
)

type streamPlan struct {
	began    time.Time
	chunks   int
	interval time.Duration
	usage    bool
}

// stream sends a role-only chunk at once, then plan.chunks chunks of content, each plan.interval after the one before, then the
// finish reason, the usage when it was asked for, and [DONE]. The fingerprint of every chunk says how many nanoseconds after the
// request's arrival it was written, so that a reader can take this program's own waiting out of what it measures.
func stream(w http.ResponseWriter, r *http.Request, plan streamPlan) {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	flusher := http.NewResponseController(w)
	usage := ""
	if plan.usage {
		usage = `,"usage":null`
	}
	buffer := make([]byte, 0, 512)
	send := func(choices string, usage string) bool {
		buffer = fmt.Appendf(buffer[:0], `data: {"id":"chatcmpl-CYPS1lijGoK8gd9lYzY3r9Sx50nbt","object":"chat.completion.chunk",`+
			`"created":%d,"model":"gpt-4o-2024-08-06","service_tier":"default","system_fingerprint":"fp_%d","choices":%s%s,"obfuscation":"D3WbtIxo1Q2j1Q"}`+"\n\n",
			plan.began.Unix(), time.Since(plan.began).Nanoseconds(), choices, usage)
		_, err := w.Write(buffer)
		return err == nil && flusher.Flush() == nil
	}
	if !send(`[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}]`, usage) {
		return
	}
	timer := time.NewTimer(plan.interval)
	defer timer.Stop()
	for i := range plan.chunks {
		if plan.interval > 0 {
			select {
			case <-r.Context().Done():
				return
			case <-timer.C:
			}
			// Counted from the start, so that one late chunk does not put off all that follow.
			timer.Reset(time.Until(plan.began.Add(time.Duration(i+2) * plan.interval)))
		}
		quoted, _ := json.Marshal(conversation.Token(i))
		if !send(fmt.Sprintf(`[{"index":0,"delta":{"content":%s},"logprobs":null,"finish_reason":null}]`, quoted), usage) {
			return
		}
	}
	if !send(`[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]`, usage) {
		return
	}
	if plan.usage && !send(`[]`, `,"usage":{"prompt_tokens":112,"completion_tokens":50,"total_tokens":162}`) {
		return
	}
	if _, err := w.Write([]byte("data: [DONE]\n\n")); err == nil {
		_ = flusher.Flush()
	}
}
