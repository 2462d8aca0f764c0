import { readYaml, YamlSyntaxError } from './read-yaml.ts';

const FILE = `# a comment first
kind: A
list:
- {name: one, deep: {value: 1}}
- name: two
  text: |
    several
    lines
base: &base
  shared: yes
---
kind: B
again: &again {x: 1}
alias: *again
---
`;

describe('readYaml', () => {
  it.each([
    [['kind'], 2],
    [['list'], 3],
    [['list', 0], 4],
    [['list', 0, 'deep', 'value'], 4],
    [['list', 1, 'name'], 5],
    [['list', 1, 'text'], 6],
    [['base', 'shared'], 10],
  ])('finds the line of %j', (path, line) => {
    expect(readYaml(FILE)[0]!.lineOf(path)).toBe(line);
  });

  it('answers with the line of the nearest thing above a field that is missing', () => {
    const [first] = readYaml(FILE);
    expect(first!.lineOf(['list', 1, 'region'])).toBe(5);
    expect(first!.lineOf(['spec', 'chain'])).toBe(2);
  });

  it('counts lines through several documents, and looks into what an alias stands for', () => {
    const [, second, third] = readYaml(FILE);
    expect(second!.line).toBe(12);
    expect(second!.value).toEqual({ kind: 'B', again: { x: 1 }, alias: { x: 1 } });
    expect(second!.lineOf(['alias'])).toBe(14);
    expect(second!.lineOf(['alias', 'x'])).toBe(13);
    expect(third!.value).toBeNull();
  });

  it('reads booleans and merges as kubectl does', () => {
    const [document] = readYaml('base: &b {on: yes}\nall:\n  <<: *b\n  more: off\n');
    expect(document!.value).toEqual({ base: { true: true }, all: { true: true, more: false } });
  });

  it('reads JSON', () => {
    const [document] = readYaml('{\n  "spec": {\n    "models": []\n  }\n}\n');
    expect(document!.lineOf(['spec', 'models'])).toBe(3);
  });

  it('names the line of a syntax error, and shows nothing of the file, which may hold a key', () => {
    const read = () => readYaml('stringData:\n  apiKey: sk-secret\n bad: [sk-secret\n');
    expect(read).toThrow(YamlSyntaxError);
    try {
      read();
    } catch (error) {
      expect((error as YamlSyntaxError).line).toBe(3);
      expect((error as YamlSyntaxError).message).not.toContain('sk-secret');
    }
  });

  it('refuses a file that unfolds without bound', () => {
    const bomb = `a: &a [x]\nb: [${'*a, '.repeat(200)}]\n`;
    expect(() => readYaml(bomb)).toThrow(YamlSyntaxError);
  });
});
