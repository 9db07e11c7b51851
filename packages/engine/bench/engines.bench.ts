/**
 * Times the engines side by side on a multilayer perceptron 784-512-512-512-10 at a batch of 128: forward, and loss with all
 * gradients, on onnxruntime as one graph of `gradient()`, on TensorFlow.js as that graph and from its own tape.
 *
 *   npx tsx --conditions=@isthmus/source packages/engine/bench/engines.bench.ts [--rounds 15] [--threads 2]
 *
 * Standard output: one JSON object for each engine and work. Standard error: a table. Engines take turns round by round, so that
 * what else the machine does falls on all of them; the ratio is of medians, to onnxruntime's.
 */
import { parseArgs } from "node:util";
import { gradient } from "@isthmus/autodiff";
import { createRandom, sizeOf, type Tensor } from "@isthmus/core";
import type { Engine, Graph } from "@isthmus/graph";
import {
  GraphBuilder,
  gemm,
  logSoftmax,
  mul,
  neg,
  reduceMean,
  reduceSum,
  relu,
} from "@isthmus/graph/builder";
import { typesOf } from "@isthmus/graph/ir";
import { createOnnxRuntimeEngine } from "../src/onnxruntime/create-onnxruntime-engine.ts";
import { createTfjsEngine } from "../src/tfjs/create-tfjs-engine.ts";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "15" }, threads: { type: "string", default: "2" } },
});
const rounds = Number(values.rounds);
const threads = Number(values.threads);

const BATCH = 128;
const WIDTHS = [784, 512, 512, 512, 10];

/** Logits, and the cross-entropy with targets `[batch, 10]`. */
function network(): { forward: Graph; loss: Graph } {
  const builder = new GraphBuilder("mlp", 17);
  let x = builder.input("x", { dtype: "f32", shape: [BATCH, 784] });
  for (const [i, width] of WIDTHS.slice(1).entries()) {
    const kernel = builder.weight(`${i}.weight`, { dtype: "f32", shape: [width, WIDTHS[i]!] });
    const bias = builder.weight(`${i}.bias`, { dtype: "f32", shape: [width] });
    x = gemm(x, kernel, { transB: true, bias });
    if (i < WIDTHS.length - 2) x = relu(x);
  }
  const logits = builder.rename(x, "logits");
  const forward = builder.build([logits]);
  const targets = builder.input("targets", { dtype: "f32", shape: [BATCH, 10] });
  const each = reduceSum(mul(logSoftmax(logits), targets), { axes: [1] });
  return { forward, loss: builder.build([builder.rename(neg(reduceMean(each)), "loss")]) };
}

function feedsOf(graph: Graph): Map<string, Tensor> {
  const random = createRandom(0, "engines");
  const types = typesOf(graph);
  return new Map(
    [...graph.inputs.map(({ name }) => name), ...graph.weights.keys()].map((name) => {
      const { shape } = types.get(name)!;
      const data = Float32Array.from({ length: sizeOf(shape) }, () => 0.05 * random.normal());
      return [name, { dtype: "f32", shape, data }];
    }),
  );
}

interface Contender {
  readonly engine: string;
  readonly work: string;
  readonly run: () => Promise<unknown>;
  readonly times: number[];
}

async function contender(engine: Engine, work: string, graph: Graph, tape = false): Promise<Contender> {
  const withRespectTo = [...graph.weights.keys()];
  const session = tape
    ? await engine.loadWithTape!(graph, { loss: "loss", withRespectTo })
    : await engine.load(graph, { threads });
  const feeds = feedsOf(graph);
  return { engine: engine.name, work, run: () => session.run(feeds), times: [] };
}

const { forward, loss } = network();
const differentiated = gradient(loss, { loss: "loss" });
const onnxruntime = createOnnxRuntimeEngine();
const tfjs = await createTfjsEngine();
const contenders = [
  await contender(onnxruntime, "forward", forward),
  await contender(tfjs, "forward", forward),
  await contender(onnxruntime, "gradients", differentiated),
  await contender(tfjs, "gradients", differentiated),
  await contender(tfjs, "gradients from the tape", loss, true),
];
for (const { run } of contenders) for (let i = 0; i < 3; i++) await run();
for (let round = 0; round < rounds; round++) {
  for (const { run, times } of contenders) {
    const begin = performance.now();
    await run();
    times.push(performance.now() - begin);
  }
}

const median = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[times.length >> 1]!;
const reference = (work: string): number => {
  const kind = work.split(" ")[0]!;
  return median(contenders.find((each) => each.engine === "onnxruntime" && each.work === kind)!.times);
};
const products = WIDTHS.slice(1).reduce((sum, width, i) => sum + width * WIDTHS[i]!, 0);
for (const { engine, work, times } of contenders) {
  const milliseconds = median(times);
  const ratio = milliseconds / reference(work);
  // The gradient for the first input is not computed.
  const products3 = 3 * products - WIDTHS[0]! * WIDTHS[1]!;
  const gflops = (2 * BATCH * (work === "forward" ? products : products3)) / milliseconds / 1e6;
  console.log(JSON.stringify({ engine, work, batch: BATCH, threads, rounds, milliseconds, gflops, ratio }));
  console.error(
    `${engine.padEnd(12)} ${work.padEnd(24)} ${milliseconds.toFixed(2).padStart(8)} ms ${gflops.toFixed(1).padStart(7)} GFLOP/s ${ratio.toFixed(2).padStart(7)} times onnxruntime`,
  );
}
