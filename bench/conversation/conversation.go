// Package conversation is what the upstream says and the load generator expects to hear.
package conversation

// Answer is the content of every unary completion.
const Answer = "Failover moves a request that its first provider can not answer to the next one of the chain. The switch happens " +
	"before a byte has gone to the client, so the application sees one answer and no error. What it costs is the time that passes " +
	"until the failure is noticed, which is why every attempt has its own timers."

var tokens = []string{" the", " next", " provider", ",", " which", " answers", "\n", " in", " its", " place", ".", " “Yes”"}

// Token is the content of the i-th content chunk of every stream, counted from 0.
func Token(i int) string { return tokens[i%len(tokens)] }
