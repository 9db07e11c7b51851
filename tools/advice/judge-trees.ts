/**
 * Judges the family trees of the families that `trees.ts` beside this file trained.
 *
 *     npx tsx --conditions=@isthmus/source tools/advice/judge-trees.ts FOLDER/trees-judged.jsonl
 */
import { readFile } from "node:fs/promises";
import { type NetworkComparison, traceDescent } from "@isthmus/recipe";

interface Family {
  readonly name: string;
  readonly parents: readonly number[];
  readonly pairs: NetworkComparison["pairs"];
}

/** Counts the right edges of a family's tree, with the base unknown and with the base named. */
function judge({ parents, pairs }: Family) {
  const networks = parents.map(() => ({}));
  const trace = (base: number | null) =>
    traceDescent({ networks, pairs, base } as unknown as NetworkComparison).parents;
  const edges = parents.flatMap((parent, child) => (parent < 0 ? [] : [[parent, child] as const]));
  const [free, rooted] = [trace(null), trace(0)];
  return {
    edges: edges.length,
    right: edges.filter(([parent, child]) => free[child] === parent).length,
    joined: edges.filter(([parent, child]) => free[child] === parent || free[parent] === child).length,
    root: Number(free[0] === null && free.filter((parent) => parent === null).length === 1),
    rightWithBase: edges.filter(([parent, child]) => rooted[child] === parent).length,
  };
}

const totals: Record<string, { families: number } & ReturnType<typeof judge>> = {};
for (const path of process.argv.slice(2)) {
  for (const line of (await readFile(path, "utf8")).split("\n")) {
    if (line === "") continue;
    const family: Family = JSON.parse(line);
    const result = judge(family);
    console.log(JSON.stringify({ name: family.name, ...result }));
    const [spec = "", ...way] = family.name.split(", ");
    for (const key of ["all", spec, way.join(", ")]) {
      const sum = (totals[key] ??= { families: 0, edges: 0, right: 0, joined: 0, root: 0, rightWithBase: 0 });
      sum.families++;
      for (const [name, value] of Object.entries(result)) sum[name as keyof typeof result] += value;
    }
  }
}
console.table(totals);
