/**
 * Prints rows of `run.ts` as one Markdown table: of several files of the lines that it printed, which may have other ways of
 * the same networks, in the order of `ways.ts`.
 *
 *     npx tsx --conditions=@isthmus/source tools/one-space/table.ts vits-1.log vits-2.log
 */
import { readFileSync } from "node:fs";
import { WAYS } from "./ways.ts";

/** A row that `run.ts` wrote. */
interface Row {
  readonly what: string;
  readonly way?: string;
  readonly loss: number;
  readonly error: number;
  readonly pairs?: { readonly mean: number; readonly most: number };
  readonly cpuSeconds?: number;
}

const lines = process.argv.slice(2).flatMap((path) => readFileSync(path, "utf8").split("\n"));
const rows = lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as Row);
const ofSingles = rows.filter(({ what }) => what.startsWith("single")).map((row) => JSON.stringify(row));
if (new Set(ofSingles).size !== 1) throw new Error("name results of the same networks");

const score = ({ loss, error }: Row): string => `${loss.toFixed(3)} (${(100 * error).toFixed(1)})`;
const print = (...cells: readonly string[]): void => console.log(`| ${cells.join(" | ")} |`);
print("", "loss (error)", "half-way of two, mean and most", "distilled", "CPU s");
print("---", "---", "---", "---", "---");
for (const row of rows.filter(
  (one, i) => one.way === undefined && rows.findIndex(({ what }) => what === one.what) === i,
))
  print(row.what, score(row), "", "", "");
for (const way of Object.keys(WAYS)) {
  const mean = rows.find((row) => row.what === "mean" && row.way === way);
  if (mean === undefined) continue;
  const distilled = rows.find((row) => row.what === "mean, distilled" && row.way === way);
  const { pairs = { mean: Number.NaN, most: Number.NaN }, cpuSeconds = 0 } = mean;
  print(
    `mean, ${way}`,
    score(mean),
    `${pairs.mean.toFixed(3)}, ${pairs.most.toFixed(3)}`,
    distilled === undefined ? "" : score(distilled),
    String(cpuSeconds),
  );
}
