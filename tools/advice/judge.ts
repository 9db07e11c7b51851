/**
 * Judges the advice on the merges that `measure.ts` beside this file measured: how often it is within one point of the
 * best way of the list, beside always the same way.
 *
 *     npx tsx --conditions=@isthmus/source tools/advice/judge.ts FOLDER/merges.jsonl ... [--each] [--markdown]
 *
 * Prints a table for each part of the merges as JSON lines; with `--each` a line for each merge, too, and with
 * `--markdown` the table of docs/verdicts.md and the numbers beside it instead.
 */
import { parseArgs } from "node:util";
import { adviseMerge } from "@isthmus/recipe";
import { CANDIDATES } from "./candidates.ts";
import { type MeasuredMerge, meanOf, readLines } from "./measured-merge.ts";

const { values: args, positionals } = parseArgs({
  allowPositionals: true,
  options: { each: { type: "boolean", default: false }, markdown: { type: "boolean", default: false } },
});
const rows = (await Promise.all(positionals.map((path) => readLines<MeasuredMerge>(path)))).flat();

/** Worlds on whose merges the rules were chosen; the merges of others are only judged. */
const CHOSEN_ON = ["mlp:48x2 mnist", "lenet mnist", "gpt:d1:w48:h4:c32 texts"];
/** Most points below the best way that count as near. */
const NEAR = 1;

/** Accuracy of a merge in points, the mean over its tasks; undefined if the way was not possible. */
const pointsOf = ({ scores }: MeasuredMerge, way: string): number | undefined => {
  const found = scores[way];
  return found === undefined ? undefined : 100 * meanOf(found);
};
const bestOf = (row: MeasuredMerge): number =>
  Math.max(...Object.keys(row.scores).map((way) => pointsOf(row, way) ?? 0));

const sorted = (parameters: Readonly<Record<string, number>>): string =>
  JSON.stringify(Object.entries({ ...parameters, weight: 1 }).sort());

/** Returns the name of the advised way in the list. */
function advise(row: MeasuredMerge, withGradients: boolean): string {
  const advice = adviseMerge(row.comparison, { gradients: withGradients ? row.gradients : null });
  const found = CANDIDATES.find(
    ({ method, parameters, align = false }) =>
      method === advice.method && align === advice.align && sorted(parameters) === sorted(advice.parameters),
  );
  if (found === undefined) throw new Error(`${row.name}: ${JSON.stringify(advice)} was not measured`);
  return found.name;
}

const WAYS: readonly (readonly [string, (row: MeasuredMerge) => string])[] = [
  ["advice", (row) => advise(row, false)],
  ["advice with gradients", (row) => advise(row, true)],
  ...CANDIDATES.map(({ name }) => [`always ${name}`, () => name] as const),
];

/** Counts how often a way is near the best, and what it loses, over the merges that it can do. */
function count(some: readonly MeasuredMerge[], choose: (row: MeasuredMerge) => string) {
  const losses = some.flatMap((row) => {
    const points = pointsOf(row, choose(row));
    return points === undefined ? [] : [bestOf(row) - points];
  });
  return {
    possible: losses.length,
    near: losses.filter((loss) => loss <= NEAR).length,
    meanLoss: Number(meanOf(losses).toFixed(1)),
    worst: Number(Math.max(...losses).toFixed(1)),
  };
}

function summarize(part: string, some: readonly MeasuredMerge[]): void {
  if (some.length === 0) return;
  for (const [way, choose] of WAYS)
    console.log(JSON.stringify({ part, merges: some.length, way, ...count(some, choose) }));
}

/** Ways in the table of the documentation. */
const TABLED = [
  "advice",
  "advice with gradients",
  "always linear",
  "always align linear",
  "always task_arithmetic 0.3",
  "always iso_c 0.5",
  "always tsv_m 0.5",
  "always breadcrumbs 0.5",
  "always ties 1",
  "always model_stock",
  "always dare_ties 0.5",
];

/** Prints the table of the documentation. */
function printTable(parts: Readonly<Record<string, readonly MeasuredMerge[]>>): void {
  const entries = Object.entries(parts);
  const titles = entries.flatMap(([part, some], i) => [
    `${part}: ${some.length}`,
    ...(i === 0 ? ["mean loss, worst (points)"] : []),
  ]);
  console.log(`| right, of | ${titles.join(" | ")} |\n|---|${titles.map(() => "---|").join("")}`);
  for (const [way, choose] of WAYS.filter(([name]) => TABLED.includes(name))) {
    const cells = entries.flatMap(([, some], i) => {
      const { possible, near, meanLoss, worst } = count(some, choose);
      const right =
        possible === 0 ? "-" : `${near} (${Math.round((100 * near) / Math.max(1, some.length))} %)`;
      const of = possible === some.length ? "" : ` of ${possible}`;
      return i === 0 ? [right, `${meanLoss}, ${worst}${of}`] : [right];
    });
    console.log(`| ${way} | ${cells.join(" | ")} |`);
  }
}

/** Counts the merges that are more than a point worse than one of the networks, or the base, at all tasks together. */
const countUseless = (some: readonly MeasuredMerge[]): number =>
  some.filter((row) => Math.max(...row.singles.map((scores) => 100 * meanOf(scores))) - bestOf(row) > NEAR)
    .length;

/** Rank correlation of two lists of numbers. */
function correlate(x: readonly number[], y: readonly number[]): number {
  const ranks = (list: readonly number[]) =>
    list.map((one) => list.filter((other) => other < one).length + list.filter((o) => o === one).length / 2);
  const [a, b] = [ranks(x), ranks(y)].map((list) => list.map((one) => one - meanOf(list)));
  const product = (p: readonly number[] = [], q: readonly number[] = []) =>
    p.reduce((sum, one, i) => sum + one * (q[i] ?? 0), 0);
  return product(a, b) / Math.sqrt(product(a, a) * product(b, b));
}

/** Prints how each sign goes with what the mean loses to the best way, over merges with a base. */
function correlateSigns(some: readonly MeasuredMerge[]): void {
  const losses = some.map((row) => bestOf(row) - (pointsOf(row, "linear") ?? 0));
  const signs = some.map((row) => adviseMerge(row.comparison, { gradients: row.gradients }).signs);
  const lists = {
    cosine: signs.map(({ cosine }) => cosine ?? 0),
    conflict: signs.map(({ conflict }) => conflict ?? 0),
    length: signs.map(({ length }) => length ?? 0),
    unequal: signs.map(({ unequal }) => unequal ?? 0),
    kinship: signs.map(({ kinship }) => kinship ?? 0),
    alignment: signs.map(({ gradients }) => gradients?.alignment ?? 0),
    slope: signs.map(({ gradients }) => gradients?.slope ?? 0),
  };
  const found = Object.entries(lists).map(([name, list]) => [
    name,
    Number(correlate(list, losses).toFixed(2)),
  ]);
  console.log(JSON.stringify({ correlations: Object.fromEntries(found), merges: some.length }));
}

if (args.each) {
  for (const row of rows) {
    const { rule, signs } = adviseMerge(row.comparison, { gradients: row.gradients });
    const best = bestOf(row);
    const below = (way: string) => Number((best - (pointsOf(row, way) ?? 0)).toFixed(1));
    const ways = [advise(row, false), advise(row, true), "linear"].map((way) => [way, below(way)]);
    const near = Object.keys(row.scores).filter((way) => below(way) <= NEAR);
    console.log(JSON.stringify({ name: row.name, rule, best, ways, near, signs }));
  }
}
const hasBase = ({ comparison }: MeasuredMerge) => comparison.base !== null;
const isText = ({ world }: MeasuredMerge) => world.endsWith("texts");
const isChosenOn = ({ world }: MeasuredMerge) => CHOSEN_ON.includes(world);
const judged = rows.filter((row) => !isChosenOn(row));
const parts = {
  judged,
  "images, a base": judged.filter((row) => !isText(row) && hasBase(row)),
  "images, no base": judged.filter((row) => !isText(row) && !hasBase(row)),
  texts: judged.filter(isText),
  "chosen on": rows.filter(isChosenOn),
};
if (args.markdown) {
  printTable(parts);
  const worlds = [...new Set(rows.map(({ world }) => world))];
  const counts = worlds.map((world) => [world, rows.filter((row) => row.world === world).length]);
  console.log(JSON.stringify({ merges: rows.length, worlds: Object.fromEntries(counts) }));
  console.log(JSON.stringify({ worseThanOneNetwork: countUseless(rows), merges: rows.length }));
} else {
  for (const [part, some] of Object.entries(parts)) summarize(part, some);
}
correlateSigns(rows.filter((row) => hasBase(row) && row.kind !== "one permuted"));
