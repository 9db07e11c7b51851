/**
 * Prints results of `run.ts` as one Markdown table: rows of several files, which may have other ways of the same networks, in
 * the order of `ways.ts`.
 *
 *     npx tsx --conditions=@isthmus/source tools/one-space/table.ts vits-1.json vits-2.json
 */
import { readJsonFile } from "@isthmus/core";
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

const files = (await Promise.all(process.argv.slice(2).map((path) => readJsonFile(path)))) as {
  readonly networks: readonly string[];
  readonly rows: readonly Row[];
}[];
const names = new Set(files.map(({ networks }) => networks.join()));
if (names.size !== 1) throw new Error("name results of the same networks");
const rows = files.flatMap((file) => file.rows);

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
