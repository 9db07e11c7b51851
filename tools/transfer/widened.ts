/**
 * Widens a network to the width of another, trained apart, and measures the barrier between both.
 *
 *     npx tsx --conditions=@isthmus/source tools/transfer/widened.ts a.safetensors b.safetensors \
 *         [--match fashion-mnist:train@1000] [--data fashion-mnist:test@1000] [--points 5]
 *
 * The networks are the ones of `widths.ts`; the graph of each lies beside it. Maps are found on unlabelled examples (`--match`), and by
 * chance for comparison. Prints CSV: the maps, the barrier of the loss above the chord in nats, that of the error in points, the losses
 * of A widened and of B, the distance of both relative to the norm of B, and the largest relative error of an output of A widened.
 */
import { parseArgs } from "node:util";
import { measureBarrier } from "@isthmus/barrier";
import { openCheckpoint } from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { fuseByMaps } from "@isthmus/fusion";
import { readGraph } from "@isthmus/graph";

const { values: args, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    match: { type: "string", default: "fashion-mnist:train@1000" },
    data: { type: "string", default: "fashion-mnist:test@1000" },
    points: { type: "string", default: "5" },
  },
});
const [pathA = "", pathB = ""] = positionals;
if (pathB === "") throw new Error("give two networks, A and B");

const engine = createOnnxRuntimeEngine();
const [match, data] = [await openDataSet(args.match), await openDataSet(args.data)];

async function open(path: string) {
  const { graph } = await readGraph(path.replace(/\.safetensors$/, ".onnx"));
  return { graph, engine, network: await openCheckpoint(path) };
}
const [a, b] = [await open(pathA), await open(pathB)];

console.log("maps,loss barrier,error barrier,loss of A widened,loss of B,distance,error of A widened");
for (const maps of ["random", "activations", "weights"] as const) {
  const { transported, distance, error } = await fuseByMaps(a, b, {
    maps,
    data: match,
    examples: match.size,
  });
  const { barrier, points } = await measureBarrier(b, [transported, b.network], data, {
    points: Number(args.points),
  });
  const losses = [points[0], points.at(-1)].map((point) => point?.loss.toFixed(3));
  const barriers = [barrier.loss.chord.toFixed(3), (100 * barrier.error.chord).toFixed(1)];
  console.log([maps, ...barriers, ...losses, distance.toFixed(3), error.toExponential(1)].join(","));
}
