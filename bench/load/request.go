package main

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"strings"
)

// model is the one that every relay under test serves.
const model = "gpt-4o"

// paragraph reads like a document in a prompt, with the line breaks and quotes that JSON escapes.
const paragraph = "The contract runs for twenty-four months from the date of signature and is renewed for a year at a time unless a party " +
	`gives notice in writing. Notice means a letter, or an email to the address in section 4: a call is not enough.\n\nIt was agreed ` +
	`that \"reasonable efforts\" are owed by both sides, that prices follow the index of the month before, and that delivery is to ` +
	"the warehouse unless the order says otherwise. "

// typographic is the same with what word processors make of it. A few characters outside Latin-1 make a JavaScript string of the
// whole body two bytes wide, which costs who makes one.
var typographic = strings.NewReplacer(`\"reasonable efforts\"`, "“reasonable efforts”", "section 4: a", "section 4 – a").Replace(paragraph)

type request struct {
	bytes []byte
	// fingerprint of the messages, as the upstream reports it when they arrive unchanged.
	fingerprint string
}

type requestOptions struct {
	promptBytes int
	typographic bool
	stream      bool
	usage       bool
	chunks      int
	intervalUs  int64
	model       string
	// own makes this request unlike any other: a leak that is keyed by what clients send then shows.
	own string
}

func newRequest(address string, o requestOptions) request {
	messages := messagesOf(o)
	var body bytes.Buffer
	fmt.Fprintf(&body, `{"model":"%s","temperature":0.7,`, o.model)
	if o.own != "" {
		fmt.Fprintf(&body, `"user":"user-%s",`, o.own)
	}
	fmt.Fprintf(&body, `"metadata":{"chunks":"%d","interval_us":"%d"},%s`, o.chunks, o.intervalUs, messages)
	if o.stream {
		body.WriteString(`,"stream":true`)
		if o.usage {
			body.WriteString(`,"stream_options":{"include_usage":true}`)
		}
	}
	body.WriteString("}")

	var head bytes.Buffer
	fmt.Fprintf(&head, "POST /v1/chat/completions HTTP/1.1\r\nHost: %s\r\n", address)
	// What the OpenAI SDK for Node sends: a relay pays for every header.
	head.WriteString("Accept: application/json\r\nContent-Type: application/json\r\nUser-Agent: OpenAI/JS 6.9.1\r\n" +
		"X-Stainless-Retry-Count: 0\r\nX-Stainless-Timeout: 600\r\nX-Stainless-Lang: js\r\nX-Stainless-Package-Version: 6.9.1\r\n" +
		"X-Stainless-Os: Linux\r\nX-Stainless-Arch: x64\r\nX-Stainless-Runtime: node\r\nX-Stainless-Runtime-Version: v24.11.0\r\n" +
		"Authorization: Bearer sk-bench-not-a-key\r\n")
	if o.own != "" {
		fmt.Fprintf(&head, "X-Request-Id: %s\r\n", o.own)
	}
	fmt.Fprintf(&head, "Content-Length: %d\r\n\r\n", body.Len())
	head.Write(body.Bytes())
	return request{bytes: head.Bytes(), fingerprint: fmt.Sprintf("fp_%08x", crc32.ChecksumIEEE([]byte(messages)))}
}

func messagesOf(o requestOptions) string {
	text := paragraph
	if o.typographic {
		text = typographic
	}
	var b strings.Builder
	b.WriteString(`"messages":[{"role":"system","content":"You answer questions about contracts, briefly."}`)
	for turn := 0; b.Len() < o.promptBytes-2*len(text); turn++ {
		role := [2]string{"user", "assistant"}[turn%2]
		fmt.Fprintf(&b, `,{"role":"%s","content":"%s"}`, role, strings.Repeat(text, min(8, 1+(o.promptBytes-b.Len())/len(text)/2)))
	}
	fmt.Fprintf(&b, `,{"role":"user","content":"What is owed by both sides, and until when? %s"}]`, o.own)
	return b.String()
}
