/**
 * Judges the advice on the merges that `measure.ts` beside this file measured: how often it is within one point of the
 * best way of the list, beside always the same way.
 *
 *     npx tsx --conditions=@isthmus/source tools/advice/judge.ts FOLDER/merges.jsonl ... [--each]
 */
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { adviseMerge, type GradientSigns, type NetworkComparison } from "@isthmus/recipe";
import { CANDIDATES } from "./candidates.ts";

const { values: args, positionals } = parseArgs({
  allowPositionals: true,
  options: { each: { type: "boolean", default: false } },
});

interface Measured {
  readonly name: string;
  readonly kind: string;
  readonly world: string;
  readonly scores: Readonly<Record<string, readonly number[]>>;
  readonly singles: readonly (readonly number[])[];
  readonly gradients: {
    readonly mean: readonly (readonly number[])[];
    readonly along: readonly (readonly number[])[] | null;
  };
  readonly comparison: NetworkComparison;
}

const rows: Measured[] = [];
for (const path of positionals)
  for (const line of (await readFile(path, "utf8")).split("\n")) if (line !== "") rows.push(JSON.parse(line));

const meanOf = (list: readonly number[]) => list.reduce((sum, x) => sum + x, 0) / list.length;

function gradientSigns({ gradients: { mean, along } }: Measured): GradientSigns {
  const cosines = mean.flatMap((row, i) =>
    row.flatMap((x, j) => (j > i ? [x / Math.sqrt((mean[i]?.[i] ?? 1) * (mean[j]?.[j] ?? 1))] : [])),
  );
  const slopes = along?.slice(0, -1).map((row) => row.at(-1) ?? 0);
  return { alignment: meanOf(cosines), slope: slopes === undefined ? null : meanOf(slopes) };
}

/** The worlds on which rules were chosen; the others are only judged. */
const isForTuning = ({ world }: Measured) =>
  ["mlp:48x2 mnist", "lenet mnist", "gpt:d1:w48:h4:c32 texts"].includes(world);

/** Accuracy of a merge in points, the mean over tasks. */
const scoreOf = ({ scores }: Measured, name: string) => 100 * meanOf(scores[name] ?? [0]);

function adviseFor(row: Measured, withData: boolean): { readonly name: string; readonly rule: string } {
  const advice = adviseMerge(row.comparison, { gradients: withData ? gradientSigns(row) : null });
  const found = CANDIDATES.find(
    ({ method, parameters, align }) =>
      method === advice.method &&
      (align ?? false) === advice.align &&
      JSON.stringify(Object.entries({ ...parameters, weight: 1 }).sort()) ===
        JSON.stringify(Object.entries({ ...advice.parameters, weight: 1 }).sort()),
  );
  if (found === undefined) throw new Error(`${row.name}: ${JSON.stringify(advice)} was not measured`);
  return { name: found.name, rule: advice.rule };
}

const WAYS: Readonly<Record<string, (row: Measured) => string>> = {
  "the advice from weights alone": (row) => adviseFor(row, false).name,
  "the advice with gradients": (row) => adviseFor(row, true).name,
  ...Object.fromEntries(CANDIDATES.map(({ name }) => [`always ${name}`, () => name])),
};

function summarize(title: string, some: readonly Measured[]): void {
  console.log(`\n${title}: ${some.length} merges`);
  for (const [name, choose] of Object.entries(WAYS)) {
    const losses = some.map((row) => {
      const best = Math.max(...Object.keys(row.scores).map((one) => scoreOf(row, one)));
      return best - scoreOf(row, choose(row));
    });
    const near = losses.filter((loss) => loss <= 1).length;
    const possible = some.filter((row) => choose(row) in row.scores).length;
    console.log(
      `  ${name.padEnd(32)} within 1 point ${String(near).padStart(3)} (${Math.round((100 * near) / some.length)} %), mean loss ${meanOf(losses.filter((_, i) => (some[i] ? choose(some[i]) in some[i].scores : false))).toFixed(1)} points over ${possible}, worst ${Math.max(...losses).toFixed(1)}`,
    );
  }
}

if (args.each) {
  for (const row of rows) {
    const ranked = Object.keys(row.scores).sort((a, b) => scoreOf(row, b) - scoreOf(row, a));
    const best = ranked[0] ?? "";
    const [weights, data] = [adviseFor(row, false), adviseFor(row, true)];
    const { slope, alignment } = gradientSigns(row);
    const { signs } = adviseMerge(row.comparison);
    const number = (x: number | null) => (x === null ? "-" : x.toFixed(2));
    console.log(
      `${row.name.slice(0, 54).padEnd(54)} cos ${number(signs.cosine)} conf ${number(signs.conflict)} len ${number(signs.length)} kin ${number(signs.kinship)} slope ${number(slope)} al ${number(alignment)} | best ${best} ${scoreOf(row, best).toFixed(1)} lin ${scoreOf(row, "linear").toFixed(1)} | ${weights.name} ${scoreOf(row, weights.name).toFixed(1)} | ${data.name} ${scoreOf(row, data.name).toFixed(1)} | ok ${ranked.filter((one) => scoreOf(row, one) > scoreOf(row, best) - 1).slice(0, 9).join(", ")}`,
    );
  }
}
const hasBase = ({ comparison }: Measured) => comparison.base !== null;
summarize("Merges on which rules were chosen", rows.filter(isForTuning));
const judged = rows.filter((row) => !isForTuning(row));
summarize("Merges that are only judged", judged);
summarize("of these, with a base", judged.filter(hasBase));
summarize("of these, without a base", judged.filter((row) => !hasBase(row)));
summarize("of these, texts", judged.filter(({ world }) => world.includes("text")));
