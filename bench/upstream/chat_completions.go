package main

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"time"

	"understudy.dev/bench/conversation"
)

func chatCompletions(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBodyBytes))
	if err != nil || !bytes.HasSuffix(bytes.TrimRight(body, " \n"), []byte("}")) {
		refuse(w, "the body did not arrive whole")
		return
	}
	messages, found := messagesOf(body)
	if !found {
		refuse(w, "the body has no messages")
		return
	}
	setProviderHeaders(w.Header())
	if bytes.Contains(body, []byte(`"stream":true`)) {
		stream(w, r, streamPlan{
			began:    began,
			chunks:   metadata(body, "chunks", 50),
			interval: time.Duration(metadata(body, "interval_us", 20_000)) * time.Microsecond,
			usage:    bytes.Contains(body, []byte(`"include_usage":true`)),
		})
		return
	}
	// The fingerprint lets the load generator tell that the prompt arrived as it was sent.
	completion := fmt.Appendf(nil, `{
  "id": "chatcmpl-CYPS1lijGoK8gd9lYzY3r9Sx50nbt",
  "object": "chat.completion",
  "created": %d,
  "model": "gpt-4o-2024-08-06",
  "choices": [
    {
      "index": 0,
      "message": {
        "role": "assistant",
        "content": %q,
        "refusal": null,
        "annotations": []
      },
      "logprobs": null,
      "finish_reason": "stop"
    }
  ],
  "usage": {
    "prompt_tokens": 112,
    "completion_tokens": 64,
    "total_tokens": 176
  },
  "service_tier": "default",
  "system_fingerprint": "fp_%08x"
}
`, began.Unix(), conversation.Answer, crc32.ChecksumIEEE(messages))
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(completion)))
	_, _ = w.Write(completion)
}

// messagesOf finds the prompt without parsing it: parsing 100 kB would make this upstream the bottleneck.
func messagesOf(body []byte) ([]byte, bool) {
	start := bytes.Index(body, []byte(`"messages":`))
	end := bytes.LastIndexByte(body, ']')
	if start < 0 || end < start {
		return nil, false
	}
	return body[start : end+1], true
}

func metadata(body []byte, name string, otherwise int) int {
	key := []byte(`"` + name + `":"`)
	at := bytes.Index(body, key)
	if at < 0 {
		return otherwise
	}
	digits, _, _ := bytes.Cut(body[at+len(key):], []byte(`"`))
	value, err := strconv.Atoi(string(digits))
	if err != nil {
		return otherwise
	}
	return value
}

// setProviderHeaders adds what OpenAI answers with, since a relay pays for every header.
func setProviderHeaders(header http.Header) {
	header.Set("X-Request-Id", "req_5d0f8a1c2b3e4f60718293a4b5c6d7e8")
	header.Set("Openai-Organization", "example")
	header.Set("Openai-Processing-Ms", "412")
	header.Set("Openai-Version", "2020-10-01")
	header.Set("X-Ratelimit-Limit-Requests", "10000")
	header.Set("X-Ratelimit-Remaining-Requests", "9999")
	header.Set("X-Ratelimit-Reset-Requests", "6ms")
	header.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains; preload")
}

func refuse(w http.ResponseWriter, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadRequest)
	fmt.Fprintf(w, `{"error":{"message":%q,"type":"invalid_request_error","param":null,"code":null}}`, message)
}
