// What symmetries graphs have, how long discovery takes, and whether they hold.
//
//   npx tsx --conditions=@isthmus/source tools/bench/symmetries.ts [--controls N] GRAPH...
//
// Prints one JSON object a graph. Weights are random; every symmetry is permuted at once, twice, and every value inside
// is compared. Controls leave one weight unpermuted that a symmetry moves, another for each symmetry, or for N of them
// evenly chosen: each must be caught. Discovery is timed without the run that finds shapes; the least of three, as a first call also compiles.
import { basename, dirname } from "node:path";
import { parseArgs } from "node:util";
import { createCheckpoint } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type Graph, probeGraph, randomWeights, readGraph } from "@isthmus/graph";
import { deriveSpec, explainSpec, type SymmetrySpec, verifySymmetries } from "@isthmus/symmetry";

const { values, positionals: paths } = parseArgs({
  options: { controls: { type: "string", default: "1000000" } },
  allowPositionals: true,
});
if (paths.length === 0) {
  console.error("usage: symmetries.ts [--controls N] GRAPH...");
  process.exit(2);
}

const engine = createOnnxRuntimeEngine();

/** For each symmetry, the first weight it moves whose control has not been run for another, without repeats. */
function controlsOf({ symmetries }: SymmetrySpec): string[] {
  const chosen = new Set<string>();
  for (const { axes } of symmetries) {
    const own = axes.find(({ tensor }) => !chosen.has(tensor)) ?? axes[0];
    if (own !== undefined) chosen.add(own.tensor);
  }
  const all = [...chosen];
  const count = Math.min(all.length, Number(values.controls));
  return Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)] ?? "");
}

async function measure(path: string, graph: Graph): Promise<object> {
  const probing = performance.now();
  const probe = await probeGraph({ graph, engine });
  const probeSeconds = (performance.now() - probing) / 1000;
  const times: number[] = [];
  let permutations = deriveSpec(graph, probe);
  for (let run = 0; run < 3; run++) {
    const started = performance.now();
    permutations = deriveSpec(graph, probe);
    times.push((performance.now() - started) / 1000);
  }
  const { spec } = permutations;
  const { symmetries, axes, unknown } = explainSpec(spec);
  const verified = [];
  const weights = createCheckpoint(randomWeights(graph, 0));
  for (const seed of [0, 1])
    verified.push(await verifySymmetries({ graph, engine }, permutations, { seed, weights }));
  const controls = controlsOf(spec);
  const missed: string[] = [];
  let leastRise = Number.POSITIVE_INFINITY;
  for (const tensor of controls) {
    const control = { seed: 0, weights, unpermuted: [tensor], findFailing: false };
    const { passed, maxRelativeError } = await verifySymmetries({ graph, engine }, permutations, control);
    if (passed) missed.push(tensor);
    leastRise = Math.min(leastRise, maxRelativeError);
  }
  const name = basename(path) === "graph.onnx" ? basename(dirname(path)) : basename(path, ".onnx");
  return {
    graph: name,
    symmetries: symmetries.length,
    plain: symmetries.filter(({ kind }) => kind === "plain").length,
    nested: symmetries.filter(({ kind }) => kind === "nested").length,
    derived: spec.followers.length,
    freeAxes: `${axes.free}+${axes.partly}/${axes.total}`,
    freeIndices: Number((axes.freeIndices / axes.indices).toFixed(4)),
    unknown: unknown.length,
    labels: permutations.labels.store.count,
    probeSeconds: Number(probeSeconds.toFixed(2)),
    discoverySeconds: Number(Math.min(...times).toFixed(3)),
    passed: verified.every(({ passed }) => passed),
    tensors: verified[0]?.tensors ?? 0,
    unstable: verified.reduce((sum, { unstable }) => sum + unstable, 0),
    outputError: Math.max(...verified.map(({ outputError }) => outputError)),
    innerError: Math.max(...verified.map(({ maxRelativeError }) => maxRelativeError)),
    controls: controls.length,
    controlsMissed: missed,
    leastControlError: leastRise,
    sizes: symmetries.map(({ size, cells }) => (cells === 1 ? `${size}` : `${cells}x${size}`)).join(" "),
  };
}

for (const path of paths) {
  const { graph } = await readGraph(path);
  console.log(JSON.stringify(await measure(path, graph)));
}
