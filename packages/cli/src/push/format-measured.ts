import { formatCell, type Report, type Table } from "@isthmus/findings";
import { describeResult, readResult } from "@isthmus/report";

/** Largest number of rows of a table in a card. */
const MAX_ROWS = 30;

/**
 * Writes the section of a model card with numbers that were measured, in Markdown: for each result, what it
 * is of, its findings, its most important numbers, and the tables that a terminal shows.
 * @param files - results of verbs that measure, as JSON
 */
export async function formatMeasured(files: readonly string[]): Promise<string | undefined> {
  if (files.length === 0) return undefined;
  const parts: string[] = ["## Measured"];
  for (const file of files) parts.push(formatReport(await describeResult(await readResult(file))));
  return parts.join("\n\n");
}

function formatReport({ subject, summary, tiles, facts, sections, shownTables }: Report): string {
  const tables = sections.flatMap((section) => section.tables);
  const shown = tables.filter(({ name }, i) => shownTables?.includes(name) ?? i === 0);
  const numbers = tiles.map(({ name, value, unit }) => `- ${name}: ${[value, unit].join(" ").trim()}`);
  const origin = facts.map(({ name, value }) => `- ${name}: ${value}`);
  return [
    `### ${onOneLine(subject)}`,
    onOneLine(summary),
    numbers.join("\n"),
    ...shown.map(formatTable),
    origin.join("\n"),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function formatTable({ columns, rows }: Table): string {
  const titles = columns.map(({ title, group }) => (group === undefined ? title : `${group}: ${title}`));
  const lines = rows
    .slice(0, MAX_ROWS)
    .map(({ cells, kind }) =>
      cells.map((cell, i) =>
        formatCell(cell, i > 0 && kind !== undefined ? kind : (columns[i]?.kind ?? "text")),
      ),
    );
  return [titles, titles.map(() => "---"), ...lines]
    .map((cells) => `| ${cells.map((cell) => onOneLine(cell).replace(/\|/g, "\\|")).join(" | ")} |`)
    .join("\n");
}

/** Puts a text on one line, on which no HTML is taken for such. */
function onOneLine(text: string): string {
  return text.replace(/\s+/g, " ").replace(/</g, "&lt;");
}
