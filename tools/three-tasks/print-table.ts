/**
 * Prints the lines of `merge-tasks.ts` and `tune-tasks.ts` as one Markdown table: single networks first, then merges, the
 * best first. A row that several runs printed, such as that of a single network, is printed once.
 *
 *     cat merges.jsonl tunings.jsonl | npx tsx tools/three-tasks/print-table.ts
 */
import { text } from "node:stream/consumers";

interface Row {
  readonly name: string;
  readonly settings: string;
  readonly mnist: number;
  readonly fashion: number;
  readonly animals: number;
  readonly mean: number;
  readonly seconds: number | null;
}

const lines = new Set((await text(process.stdin)).split("\n").filter((line) => line.startsWith("{")));
const rows = [...lines].map((line) => JSON.parse(line) as Row);
const singles = rows.filter(({ seconds }) => seconds === null);
const merges = rows.filter(({ seconds }) => seconds !== null).sort((a, b) => b.mean - a.mean);
const percent = (share: number) => (100 * share).toFixed(1);

console.log(
  "| network | settings | MNIST | Fashion | animals | mean | seconds |\n|---|---|---|---|---|---|---|",
);
for (const { name, settings, mnist, fashion, animals, mean, seconds } of [...singles, ...merges]) {
  const title = seconds === null ? name : `\`${name}\``;
  console.log(
    `| ${[title, settings, ...[mnist, fashion, animals, mean].map(percent), seconds ?? ""].join(" | ")} |`,
  );
}
