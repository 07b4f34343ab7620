/** Columns that a table may take where nobody says: a log, or a terminal that does not tell. */
const WIDTH = 110;

/** Lines with their columns one below another; a list in the last column is broken to fit the terminal. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  width = process.stdout.isTTY ? process.stdout.columns : WIDTH,
): string[] {
  const last = head.length - 1;
  const widths = head.map((cell, column) =>
    Math.max(cell.length, ...rows.map((row) => (row[column] ?? "").length)),
  );
  const before = widths.slice(0, last).reduce((sum, column) => sum + column + 2, 0);
  const broken = rows.flatMap((row) => {
    const [first = "", ...more] = brokenList(row[last] ?? "", width - before);
    return [
      [...row.slice(0, last), first],
      ...more.map((part) => [...head.slice(0, last).map(() => ""), part]),
    ];
  });
  widths[last] = Math.max(head[last]?.length ?? 0, ...broken.map((row) => (row[last] ?? "").length));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return [line(head), line(widths.map((column) => "─".repeat(column))), ...broken.map(line)];
}

/** A list of words with commas in lines of at most `width`; a word that is longer stands alone. */
function brokenList(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/(?<=, )/)) {
    const line = lines.at(-1);
    if (line !== undefined && (line + word).trimEnd().length <= width) lines[lines.length - 1] = line + word;
    else lines.push(word);
  }
  return lines.map((line) => line.trimEnd());
}
