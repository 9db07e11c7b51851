// Losses of networks whose weights are rounded to nearest, before and after teleports, beside closed forms.
//
//   node tools/run-source.mjs tools/bench/teleport.ts --network FILE [--graph G] --test NAME --train NAME
//     [--bits 4] [--schemes block,channel] [--methods given,equalized,rotated,quantization,fisher,quantized-loss]
//     [--steps 100] [--lr .05] [--examples 500] [--seed 0] [--mean M --std S]
//
// Prints one JSON object for each scheme and method. It holds loss and error on the test examples, before and
// after weights are rounded, and how far predictions diverge from the predictions of the given network.
// Teleports see training examples only, and `quantization` none.
import { parseArgs } from "node:util";
import { createTensor, openCheckpoint, withTensors } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { createEvaluator } from "@isthmus/graph";
import { type QuantizeScheme, quantizeNetwork } from "@isthmus/sparsity";
import { act, openOrbit, type Start, startOf, type TeleportChoice, teleport } from "@isthmus/teleportation";
import { measureTeaching } from "@isthmus/training";
import { openBound } from "@isthmus/zoo";
import { exitWith } from "./open-pair.ts";

const { values } = parseArgs({
  options: {
    network: { type: "string" },
    graph: { type: "string" },
    test: { type: "string" },
    train: { type: "string" },
    bits: { type: "string", default: "4" },
    schemes: { type: "string", default: "block,channel" },
    methods: { type: "string", default: "given,equalized,rotated,quantization,fisher" },
    moves: { type: "string", default: "scales,mixtures" },
    steps: { type: "string", default: "100" },
    lr: { type: "string", default: "0.05" },
    examples: { type: "string", default: "500" },
    seed: { type: "string", default: "0" },
    mean: { type: "string" },
    std: { type: "string" },
  },
});
const usage = "teleport.ts --network FILE [--graph G] --test NAME --train NAME [options]";
const { network: path, graph, test, train, mean, std } = values;
if (path === undefined || test === undefined) exitWith(usage);
const scaling = mean && std ? { mean: Number(mean), std: Number(std) } : undefined;
const engine = createOnnxRuntimeEngine();
const names = { train, test };
const opened = await openBound([path], [await openCheckpoint(path)], names, { engine, graph, scaling });
const { architecture, examples } = opened;
const bound = architecture.networks[0]?.network;
const testing = examples.get("test");
if (bound === undefined || testing === undefined) exitWith(usage);
const network = bound;
const seed = Number(values.seed);
const bits = Number(values.bits) as 4 | 8;
const evaluator = await createEvaluator(architecture, testing);
const orbit = await openOrbit(architecture, network, {
  seed,
  moves: values.moves.split(",") as ("scales" | "mixtures")[],
  signal: undefined,
});

/** Makes the network of a method for a scheme; undefined if the network has no symmetry for it. */
async function networkOf(method: string, scheme: QuantizeScheme) {
  if (method === "quantization" || method === "fisher" || method === "quantized-loss") {
    const options: TeleportChoice = {
      objective: method === "fisher" ? "quantization" : method,
      scheme,
      bits,
      seed,
      moves: values.moves.split(",") as ("scales" | "mixtures")[],
      steps: Number(values.steps),
      learningRate: Number(values.lr),
      examples: Number(values.examples),
    };
    const { weights, result } = await teleport(architecture, network, {
      ...options,
      data: method === "quantization" ? undefined : examples.get("train"),
    });
    const { before, after, start, bestStep, outputError } = result;
    return { weights, facts: { before, after, start, bestStep, outputError } };
  }
  const element = await startOf(method as Start, orbit, seed);
  if (element === undefined) return undefined;
  const moved = [...act(orbit, element, orbit.base)].map(([name, data]) => {
    const { shape } = architecture.graph.weights.get(name) ?? { shape: [data.length] };
    return [name, createTensor("f32", shape, Float32Array.from(data))] as const;
  });
  return { weights: withTensors(network, new Map(moved)), facts: {} };
}

const whole = await evaluator.evaluate(network);
for (const scheme of values.schemes.split(",") as QuantizeScheme[]) {
  for (const method of values.methods.split(",")) {
    const begun = process.cpuUsage();
    const made = await networkOf(method, scheme);
    const used = process.cpuUsage(begun);
    if (made === undefined) continue;
    const { weights: rounded } = await quantizeNetwork(made.weights, {
      bits,
      scheme,
      graph: architecture.graph,
    });
    const { loss, error } = await evaluator.evaluate(rounded);
    const teacher = { graph: architecture.graph, weights: network, data: testing };
    const { divergence, agreement } = await measureTeaching(engine, rounded, teacher, { batch: 50 });
    const cpuSeconds = (used.user + used.system) / 1e6;
    console.log(
      JSON.stringify({
        scheme,
        method,
        bits,
        f32Loss: whole.loss,
        f32Error: whole.error,
        loss,
        error,
        divergence,
        agreement,
        cpuSeconds,
        ...made.facts,
      }),
    );
  }
}
await evaluator.release();
