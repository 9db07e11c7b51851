// How often matching finds a planted permutation: align(A, permute(A)) for many random permutations.
//
//   npx tsx --conditions=@isthmus/source tools/bench/planted.ts GRAPH CHECKPOINT [COUNT] [RESTARTS]
//
// Prints one JSON object. A permutation counts as found if undoing it gives back A, bit for bit, so units with
// equal weights may be exchanged.
import { type Checkpoint, openCheckpoint, viewBytes } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { discoverSymmetries, permute, randomAlignment, readGraph } from "@isthmus/graph";
import { matchWeights } from "@isthmus/weight-matching";

const [graphPath, checkpointPath, count = "100", restarts = "8"] = process.argv.slice(2);
if (graphPath === undefined || checkpointPath === undefined) {
  console.error("usage: planted.ts GRAPH CHECKPOINT [COUNT] [RESTARTS]");
  process.exit(2);
}

const engine = createOnnxRuntimeEngine();
const { graph } = await readGraph(graphPath);
const { spec } = await discoverSymmetries(graph, engine);
const a = await openCheckpoint(checkpointPath);

async function sameBytes(x: Checkpoint, y: Checkpoint): Promise<boolean> {
  for (const name of x.tensors.keys()) {
    const [left, right] = await Promise.all([x.read(name), y.read(name)]);
    if (Buffer.compare(viewBytes(left.data), viewBytes(right.data)) !== 0) return false;
  }
  return true;
}

const started = performance.now();
const missed: number[] = [];
let entries = 0;
let right = 0;
for (let seed = 0; seed < Number(count); seed++) {
  const planted = permute(randomAlignment(spec, seed), a, spec);
  const { alignment } = await matchWeights(a, planted, spec, {
    seed,
    graph,
    engine,
    restarts: Number(restarts),
  });
  const wanted = randomAlignment(spec, seed).source;
  const inverse = new Int32Array(wanted.length);
  wanted.forEach((from, to) => {
    inverse[from] = to;
  });
  entries += inverse.length;
  right += inverse.filter((unit, place) => unit === alignment.source[place]).length;
  if (!(await sameBytes(a, permute(alignment, planted, spec)))) missed.push(seed);
}
const total = Number(count);
console.log(
  JSON.stringify({
    graph: graphPath,
    planted: total,
    recovered: total - missed.length,
    entries: right / entries,
    missed,
    secondsEach: (performance.now() - started) / 1000 / total,
  }),
);
await a.close();
