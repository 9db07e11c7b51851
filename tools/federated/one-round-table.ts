/**
 * Prints the results of `one-round.ts` as a table, with a column for each split, seed and way to train.
 *
 *     npx tsx --conditions=@isthmus/source tools/federated/one-round-table.ts lines.jsonl [more.jsonl ...]
 */
import { readFile } from "node:fs/promises";

interface Line {
  readonly measurement: string;
  readonly accuracy?: number;
  readonly best?: number;
  readonly mean?: number;
  readonly upload?: number;
  readonly ridge?: number;
  readonly split: string;
  readonly seed: number;
  readonly recipe: string;
  readonly net: string;
  readonly by?: string;
  readonly weigh?: string;
  readonly restarts?: number;
}

/** Ridges other than this are left out. */
const RIDGE = 0.001;
/** Measurements that no weights of clients change. */
const WITHOUT_WEIGHTS = ["ensemble", "central", "best client", "mean client"];

const lines: Line[] = [];
for (const path of process.argv.slice(2)) {
  const text = await readFile(path, "utf8");
  for (const row of text.split("\n").filter((line) => line.startsWith("{")))
    lines.push(JSON.parse(row) as Line);
}
/** Says what a column is of, from the plain names of the recipe and of the network. */
function columnOf({ split, seed, recipe, net }: Line): string {
  const batch = /-b(\d+)/.exec(recipe)?.[1];
  const dropout = /-drop(.*)/.exec(net)?.[1];
  return [
    `${split}, seed ${seed}`,
    ...(batch === undefined ? [] : [`batches of ${batch}`]),
    ...(dropout === undefined ? [] : [`dropout ${dropout}`]),
    ...(recipe.includes("scheduleconstant") ? ["constant rate"] : []),
  ].join(", ");
}
const columns = [...new Set(lines.map(columnOf))].sort();
const rows = new Map<string, Map<string, number>>();
const uploads = new Map<string, number>();

function add(name: string, line: Line, accuracy: number): void {
  const { by = "examples", weigh = "no", restarts = 1, upload } = line;
  const how = [
    ...(by === "examples" || WITHOUT_WEIGHTS.includes(name) ? [] : [`clients by ${by}`]),
    ...(weigh === "no" ? [] : [`aligned by importance of ${weigh}`]),
    ...(restarts === 1 ? [] : [`${restarts} starts`]),
  ];
  const row = [name, ...how].join(", ");
  rows.set(row, (rows.get(row) ?? new Map<string, number>()).set(columnOf(line), accuracy));
  if (upload !== undefined) uploads.set(row, upload);
}

for (const line of lines) {
  if ((line.ridge ?? RIDGE) !== RIDGE) continue;
  if (line.best !== undefined) add("best client", line, line.best);
  if (line.mean !== undefined) add("mean client", line, line.mean);
  if (line.accuracy !== undefined) add(line.measurement, line, line.accuracy);
}
console.log(`| measurement | MB sent | ${columns.join(" | ")} |`);
console.log(`|---|---|${columns.map(() => "---").join("|")}|`);
for (const [row, accuracies] of rows) {
  const upload = uploads.get(row);
  const cells = columns.map((column) => accuracies.get(column)?.toFixed(4) ?? "");
  console.log(`| ${row} | ${upload === undefined ? "" : (upload / 1e6).toFixed(2)} | ${cells.join(" | ")} |`);
}
