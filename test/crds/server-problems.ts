/** The API server adds this line when a wrong shape keeps it from trying the rules. It says nothing about the object. */
const RULES_NOT_TRIED = 'some validation rules were not checked because the object was invalid';

/** What the API server says, as kubectl prints it: `The ModelRoute "a" is invalid: …`, with one problem or a list of them. */
export function serverProblems(stderr: string): { field: string; message: string }[] {
  const [, first = ''] = /^The \w+ "[^"]*" is invalid: ?([\s\S]*)$/.exec(stderr.trim()) ?? [];
  const lines = first.startsWith('\n')
    ? first
        .trim()
        .split(/\n?^\* /m)
        .filter(Boolean)
    : [first];
  return lines
    .filter((line) => line !== '' && !line.includes(RULES_NOT_TRIED))
    .map((line) => ({ field: line.slice(0, line.indexOf(': ')), message: withoutPreamble(line.slice(line.indexOf(': ') + 2)) }));
}

/** Leaves out the class of the error and the value: `Invalid value: "EU": `. What follows is what the schema or the rule says. */
function withoutPreamble(text: string): string {
  return text.replace(/^(Required value|Invalid value|Unsupported value|Too many|Too long): ("(\\.|[^"\\])*": |-?[\d.]+: )?/, '');
}
