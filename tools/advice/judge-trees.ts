/**
 * Judges the family trees of the families that `trees.ts` beside this file trained.
 *
 *     npx tsx --conditions=@isthmus/source tools/advice/judge-trees.ts FOLDER/trees-judged.jsonl
 */
import { type NetworkComparison, traceDescent } from "@isthmus/recipe";
import { readLines } from "./measured-merge.ts";

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

type Counts = ReturnType<typeof judge>;
const totals = new Map<string, Counts & { families: number }>();

function addTo(key: string, counts: Counts): void {
  const none = { families: 0, edges: 0, right: 0, joined: 0, root: 0, rightWithBase: 0 };
  const before = totals.get(key) ?? none;
  totals.set(key, {
    families: before.families + 1,
    edges: before.edges + counts.edges,
    right: before.right + counts.right,
    joined: before.joined + counts.joined,
    root: before.root + counts.root,
    rightWithBase: before.rightWithBase + counts.rightWithBase,
  });
}

for (const path of process.argv.slice(2)) {
  for (const family of await readLines<Family>(path)) {
    const counts = judge(family);
    const [spec = "", ...way] = family.name.split(", ");
    for (const key of ["all", spec, way.join(", ")]) addTo(key, counts);
  }
}
console.table(Object.fromEntries(totals));
