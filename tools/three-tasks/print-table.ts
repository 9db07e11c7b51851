/**
 * Prints the rows that `merge-tasks.ts` and `tune-tasks.ts` wrote as one Markdown table: single networks first, then
 * merges, the best in the first folder first. Each folder has its columns; after a mean stands its standard error.
 *
 *     npx tsx tools/three-tasks/print-table.ts FOLDER [FOLDER ...] [--rows merges,tunings] [--only linear,ties]
 *
 * `--rows` names files of rows, `--only` the methods of the first of them that are printed.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Accuracies, meanOf, type Row, readRows, TASKS } from "./rows.ts";

const { values: args, positionals: folders } = parseArgs({
  options: { rows: { type: "string", default: "merges" }, only: { type: "string" } },
  allowPositionals: true,
});
const files = args.rows.split(",");

/** Returns accuracy on each task, the mean with its standard error, and the settings and seconds of a row. */
function cellsOf(row: Row | undefined, examples: number): readonly string[] {
  if (row === undefined) return ["", "", "", ""];
  const percent = (share: number) => (100 * share).toFixed(1);
  const variance = TASKS.reduce((sum, task) => sum + (row[task] * (1 - row[task])) / examples, 0);
  const mean = `${percent(row.mean)} ± ${percent(Math.sqrt(variance) / TASKS.length)}`;
  const each = TASKS.map((task) => percent(row[task])).join(", ");
  return [row.settings, each, mean, `${row.seconds ?? ""}`];
}

/** Returns the row of all fine-tuned networks, each measured on its own task. */
function ownOf(rows: readonly Row[]): Row {
  const accuracies = Object.fromEntries(
    TASKS.map((task) => [task, rows.find(({ name }) => name === `fine-tuned on ${task}`)?.[task]]),
  ) as unknown as Accuracies;
  const name = "each fine-tuned network on its own task";
  return { name, settings: "", seconds: null, ...accuracies, mean: meanOf(accuracies) };
}

const measured: { readonly rows: readonly Row[]; readonly examples: number }[] = [];
for (const folder of folders) {
  const rows: Row[] = [];
  let examples = 0;
  for (const [i, file] of files.entries()) {
    const found = await readRows(join(folder, `${file}.jsonl`));
    if (found === undefined) continue;
    examples = Number(found.of["test"]);
    const isPrinted = ({ name, seconds }: Row) =>
      i > 0 || seconds === null || (args.only?.split(",").includes(name) ?? true);
    rows.push(...found.rows.filter(isPrinted));
  }
  measured.push({ rows: [...rows, ownOf(rows)], examples });
}

const all = new Map(measured.toReversed().flatMap(({ rows }) => rows.map((row) => [row.name, row])));
const singles = [...all.values()].filter(({ seconds }) => seconds === null);
const merges = [...all.values()].filter(({ seconds }) => seconds !== null).sort((a, b) => b.mean - a.mean);
const columns = folders.flatMap(() => ["settings", TASKS.join(", "), "mean", "seconds"]);
const line = (cells: readonly string[]) => console.log(`| ${cells.join(" | ")} |`);
line(["network", ...columns]);
console.log(`|${"---|".repeat(columns.length + 1)}`);
for (const { name, seconds } of [...singles, ...merges]) {
  const cells = measured.flatMap(({ rows, examples }) =>
    cellsOf(
      rows.find((row) => row.name === name),
      examples,
    ),
  );
  line([seconds === null || name.includes(" ") ? name : `\`${name}\``, ...cells]);
}
