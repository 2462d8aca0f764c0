/** kubectl's spacing: three blanks between columns, and no column narrower than six. */
const PADDING = 3;
const MIN_WIDTH = 6;

/**
 * Lays out rows as kubectl does: each column as wide as its widest cell, the last one unpadded. `widths` are remembered from call to call, so that
 * the rows of a watch line up with what was printed before; they only grow.
 */
export function layOut(rows: readonly (readonly string[])[], widths: number[] = []): string[] {
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? MIN_WIDTH, cell.length + PADDING);
    }
  }
  return rows.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column]!)))
      .join('')
      .trimEnd(),
  );
}
