// How often matching finds a planted permutation: align(A, permute(A)) for many random permutations.
//
//   npx tsx --conditions=@isthmus/source tools/bench/planted.ts GRAPH CHECKPOINT|random [COUNT] [RESTARTS] [MEMORY]
//
// With `random` every permutation is planted in other random weights. MEMORY is a bound in bytes; without it weights are kept in memory.
// Prints one JSON object. A permutation counts as found if undoing it gives back A, bit for bit: units with equal weights
// (`exchanged`) may be interchanged, which no method can tell. `entries` is the share of all entries that came back, those included.
// Of those not found `short` says how far the objective is below that of the planted permutation, relative to it: 0 or less where
// another placement is as good. `secondsEach` is the time of matching, and the shares are of it.
import { type Checkpoint, createCheckpoint, openCheckpoint, squaredNorm, viewBytes } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { randomWeights, readGraph } from "@isthmus/graph";
import { discoverSymmetries, permute, randomAlignment } from "@isthmus/symmetry";
import { type MatchSeconds, matchWeights } from "@isthmus/weight-matching";

const [graphPath, checkpointPath, count = "100", restarts = "8", memory] = process.argv.slice(2);
if (graphPath === undefined || checkpointPath === undefined) {
  console.error("usage: planted.ts GRAPH CHECKPOINT|random [COUNT] [RESTARTS] [MEMORY]");
  process.exit(2);
}

const engine = createOnnxRuntimeEngine();
const { graph } = await readGraph(graphPath);
const { spec } = await discoverSymmetries({ graph, engine });
const opened = checkpointPath === "random" ? undefined : await openCheckpoint(checkpointPath);

async function sameBytes(x: Checkpoint, y: Checkpoint): Promise<boolean> {
  for (const name of x.tensors.keys()) {
    const [left, right] = await Promise.all([x.read(name), y.read(name)]);
    if (Buffer.compare(viewBytes(left.data), viewBytes(right.data)) !== 0) return false;
  }
  return true;
}

/** The sum of squares of all that matching counts: the objective of a planted permutation. */
async function greatestObjective(a: Checkpoint): Promise<number> {
  let sum = 0;
  for (const [name, { role, fields }] of spec.weights) {
    if (role === "parameter" && fields.length > 0) sum += squaredNorm(await a.read(name));
  }
  return sum;
}

const missed: { seed: number; short: number }[] = [];
const spent: Record<keyof MatchSeconds, number> = { total: 0, products: 0, reading: 0, assignment: 0 };
let entries = 0;
let right = 0;
let exchanged = 0;
for (let seed = 0; seed < Number(count); seed++) {
  const a = opened ?? createCheckpoint(randomWeights(graph, seed));
  const wanted = randomAlignment(spec, seed).source;
  const planted = permute({ source: wanted }, a, spec);
  const { alignment, objective, seconds } = await matchWeights({ spec, graph, engine }, [a, planted], {
    seed,
    restarts: Number(restarts),
    ...(memory === undefined ? {} : { memory: Number(memory) }),
  });
  for (const work of Object.keys(spent) as (keyof MatchSeconds)[]) spent[work] += seconds[work];
  const inverse = new Int32Array(wanted.length);
  wanted.forEach((from, to) => {
    inverse[from] = to;
  });
  const equal = inverse.filter((unit, place) => unit === alignment.source[place]).length;
  const found = await sameBytes(a, permute(alignment, planted, spec));
  if (!found) missed.push({ seed, short: 1 - objective.after / (await greatestObjective(a)) });
  entries += inverse.length;
  right += found ? inverse.length : equal;
  if (found) exchanged += inverse.length - equal;
}
const total = Number(count);
const share = (seconds: number) => Number((seconds / spent.total).toFixed(3));
console.log(
  JSON.stringify({
    graph: graphPath,
    planted: total,
    recovered: total - missed.length,
    units: spec.units,
    entries: right / entries,
    exchanged,
    missed,
    secondsEach: Number((spent.total / total).toFixed(2)),
    inProducts: share(spent.products),
    inAssignments: share(spent.assignment),
    ...(memory === undefined ? {} : { inReading: share(spent.reading) }),
    peakMB: Math.round(process.resourceUsage().maxRSS / 1024),
  }),
);
await opened?.close();
