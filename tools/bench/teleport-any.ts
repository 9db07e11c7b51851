// Teleports networks of random weights of any ONNX graphs: which symmetries were used, and that they keep what it computes.
//
//   node tools/run-source.mjs tools/bench/teleport-any.ts GRAPH.onnx... [--steps 5] [--scheme channel] [--seed 0]
//
// Prints one JSON object for each graph: groups by kind, rounding error to 4 bits before and after, error of outputs.
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { createCheckpoint, sizeOf } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { randomWeights, readGraph } from "@isthmus/graph";
import type { QuantizeScheme } from "@isthmus/sparsity";
import { teleport } from "@isthmus/teleportation";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    steps: { type: "string", default: "5" },
    scheme: { type: "string", default: "channel" },
    seed: { type: "string", default: "0" },
  },
});
const engine = createOnnxRuntimeEngine();
for (const path of positionals) {
  const { graph } = await readGraph(path);
  const weights = randomWeights(graph, Number(values.seed));
  const begun = process.cpuUsage();
  const { result } = await teleport({ graph, engine }, createCheckpoint(weights, {}, basename(path)), {
    steps: Number(values.steps),
    scheme: values.scheme as QuantizeScheme,
    seed: Number(values.seed),
  });
  const used = process.cpuUsage(begun);
  const { scales, mixtures, fixed, dropped } = result.groups;
  const count = (group: string) =>
    mixtures.reduce((sum, one) => sum + (one.group === group ? one.cells : 0), 0);
  const groups = [...new Set(mixtures.map(({ group }) => group))].map((group) => [group, count(group)]);
  console.log(
    JSON.stringify({
      graph: basename(path, ".onnx"),
      parameters: [...graph.weights.values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0),
      scales: scales.reduce((sum, { size }) => sum + size, 0),
      ...Object.fromEntries(groups),
      fixed: fixed.length,
      dropped: dropped.length,
      before: result.before,
      after: result.after,
      start: result.start,
      outputError: result.outputError,
      cpuSeconds: (used.user + used.system) / 1e6,
    }),
  );
}
