// Whether gradients of whole networks equal differences, and what they cost.
//
//   npx tsx --conditions=@isthmus/source tools/bench/gradients.ts [--batch 2] [--seed 0] [--dump FOLDER] GRAPH...
//
// Each graph is made typed for the batch and given random weights; the loss is a random weighted mean of its outputs. The derivative
// along a random direction, of every weight in proportion to its size, is compared with central differences of the forward
// pass, whose outputs are f32 and weighted in f64. Of nine steps the three neighbouring ones are taken that agree best, which says
// nothing of the gradient: their spread is what differences of a network with kinks, in f32, can tell. Error and spread are over
// the slope, or over its size in root mean square where it is small by chance. Prints one line for each graph, and the lines
// again as JSON at the end. With --dump, graph, feeds, gradients and the values that kinks depend on are written instead of taking
// differences: gradients-torch.py then compares them with PyTorch's in f64, to rounding and whatever the kinks.
import { mkdirSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { gradient, lowerBatchNorm } from "@isthmus/autodiff";
import { createRandom, DTYPES, type Tensor, viewBytes } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import {
  encodeGraph,
  exposeValues,
  type Graph,
  randomInputs,
  randomWeights,
  readGraph,
  type Session,
  specialize,
} from "@isthmus/graph";
import { add, cast, GraphBuilder, mul, reduceSum, type Value } from "@isthmus/graph/builder";
import { gradientName } from "@isthmus/graph/ir";

/** Steps of differences, relative to the weights, each half of the one before. */
const STEPS = Array.from({ length: 9 }, (_, i) => 2 ** -(4 + i));
const REPEATS = 3;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    batch: { type: "string", default: "2" },
    seed: { type: "string", default: "0" },
    dump: { type: "string" },
  },
});
if (positionals.length === 0) {
  console.error("usage: gradients.ts [--batch 2] [--seed 0] [--dump FOLDER] GRAPH...");
  process.exit(2);
}
const [batch, seed] = [Number(values.batch), Number(values.seed)];
const engine = createOnnxRuntimeEngine();

type Feeds = ReadonlyMap<string, Tensor>;

/** Factors of an output in the loss. */
function factorsOf(name: string, size: number): Float32Array {
  const random = createRandom(seed, `factors ${name}`);
  return Float32Array.from({ length: size }, () => (random.uniform() * 2 - 1) / Math.sqrt(size));
}

/** Adds the loss to a typed graph. */
function withLoss(graph: Graph): { graph: Graph; loss: string } {
  const builder = GraphBuilder.from(graph);
  const parts = graph.outputs.map(({ name }): Value => {
    const output = builder.value(name);
    const size = output.shape.reduce((product, extent) => product * extent, 1);
    const factors = builder.numbers(factorsOf(name, size), "f32", output.shape);
    return reduceSum(mul(cast(output, "f32"), factors));
  });
  const loss = builder.rename(
    parts.reduce((total, part) => add(total, part)),
    "random loss",
  );
  return { graph: builder.build([loss]), loss: loss.name };
}

/** The loss, its sum in f64. */
async function evaluate(session: Session, graph: Graph, feeds: Feeds): Promise<number> {
  const results = await session.run(feeds);
  let total = 0;
  for (const { name } of graph.outputs) {
    const data = results.get(name)?.data as Float32Array;
    const factors = factorsOf(name, data.length);
    for (let i = 0; i < data.length; i++) total += data[i]! * factors[i]!;
  }
  return total;
}

/** Uniform numbers in proportion to the root mean square of each tensor. */
function directionOf(names: readonly string[], feeds: Feeds): Map<string, Float32Array> {
  return new Map(
    names.map((name) => {
      const data = feeds.get(name)?.data as Float32Array;
      const random = createRandom(seed, `direction ${name}`);
      const size = Math.sqrt(data.reduce((total, value) => total + value * value, 0) / data.length);
      return [name, Float32Array.from(data, () => size * (random.uniform() * 2 - 1))];
    }),
  );
}

function move(feeds: Feeds, direction: ReadonlyMap<string, Float32Array>, distance: number): Feeds {
  return new Map(
    [...feeds].map(([name, tensor]) => {
      const line = direction.get(name);
      if (line === undefined) return [name, tensor];
      const data = Float32Array.from(tensor.data as Float32Array, (value, i) => value + distance * line[i]!);
      return [name, { ...tensor, data }];
    }),
  );
}

/** Derivative at 0 by differences, and how far apart those of three neighbouring steps are that agree best. */
async function differentiate(
  at: (distance: number) => Promise<number>,
): Promise<{ slope: number; spread: number }> {
  const slopes: number[] = [];
  for (const step of STEPS) slopes.push(((await at(step)) - (await at(-step))) / (2 * step));
  let best = { slope: Number.NaN, spread: Number.POSITIVE_INFINITY };
  for (let i = 0; i + 2 < slopes.length; i++) {
    const three = slopes.slice(i, i + 3);
    const spread = Math.max(...three) - Math.min(...three);
    // Three, since of many pairs two agree by chance.
    if (spread < best.spread) best = { slope: three.sort((x, y) => x - y)[1]!, spread };
  }
  return best;
}

async function median(run: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < REPEATS; i++) {
    const started = performance.now();
    await run();
    times.push(performance.now() - started);
  }
  return times.sort((a, b) => a - b)[Math.floor(REPEATS / 2)]!;
}

const round = (value: number): number => Number(value.toPrecision(3));

/** Writes what PyTorch needs to compute the same: the graph, and tensors as raw bytes with an index. */
function dump(
  folder: string,
  graph: Graph,
  tensors: Readonly<Record<"feed" | "result" | "kink", Feeds>>,
): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/graph.onnx`, encodeGraph(graph));
  const index = Object.entries(tensors).flatMap(([kind, entries]) =>
    [...entries].map(([name, { dtype, shape, data }], i) => {
      writeFileSync(`${folder}/${kind}-${i}.bin`, viewBytes(data));
      return { kind, name, dtype, shape, file: `${kind}-${i}.bin` };
    }),
  );
  writeFileSync(`${folder}/index.json`, JSON.stringify(index));
}

/** Values that tell which side of their kinks relus and the largest of pools are on. */
function kinksOf({ nodes }: Graph): string[] {
  return nodes.flatMap(({ op, inputs, outputs }) => {
    if (op === "Relu") return outputs;
    return op === "MaxPool" ? inputs : [];
  });
}

async function measure(path: string) {
  const graph = await specialize({ graph: (await readGraph(path)).graph, engine }, { batch });
  const trained = withLoss(graph);
  const started = performance.now();
  const differentiated = lowerBatchNorm(gradient(trained.graph, { loss: trained.loss }));
  const buildMs = performance.now() - started;
  const feeds: Feeds = new Map([...randomInputs(graph, batch, seed), ...randomWeights(graph, seed)]);
  const names = [...graph.weights]
    .filter(([, { role, dtype }]) => role === "parameter" && DTYPES[dtype].float)
    .map(([name]) => name);
  const kinks = new Set(values.dump === undefined ? [] : kinksOf(trained.graph));
  const backward = await engine.load(exposeValues(differentiated, [...kinks]));
  const all = [...(await backward.run(feeds))];
  const gradients = new Map(all.filter(([name]) => !kinks.has(name)));
  const backwardMs = await median(() => backward.run(feeds));
  await backward.release();
  const size = {
    graph: path.split("/").slice(-2).join("/"),
    nodes: trained.graph.nodes.length,
    gradientNodes: differentiated.nodes.length,
    buildMs: Math.round(buildMs),
    backwardMs: Number(backwardMs.toFixed(1)),
  };
  if (values.dump !== undefined) {
    const results = [...gradients].map(([name, tensor]): [string, Tensor] => [
      names.find((weight) => gradientName(trained.loss, weight) === name) ?? name,
      tensor,
    ]);
    dump(`${values.dump}/${size.graph.replaceAll("/", "-")}`, trained.graph, {
      feed: feeds,
      result: new Map(results),
      kink: new Map(all.filter(([name]) => kinks.has(name))),
    });
    return size;
  }
  const forward = await engine.load(graph);
  const forwardMs = await median(() => forward.run(feeds));
  const direction = directionOf(names, feeds);
  let slope = 0;
  let square = 0;
  for (const [name, line] of direction) {
    const data = gradients.get(gradientName(trained.loss, name))?.data as Float32Array;
    for (let j = 0; j < data.length; j++) {
      slope += data[j]! * line[j]!;
      square += (data[j]! * line[j]!) ** 2;
    }
  }
  const found = await differentiate((distance) => evaluate(forward, graph, move(feeds, direction, distance)));
  // A random slope may be near 0 by chance: what it is in root mean square is the scale.
  const scale = Math.max(Math.abs(slope), Math.sqrt(square));
  await forward.release();
  return {
    ...size,
    forwardMs: Number(forwardMs.toFixed(1)),
    slope: round(slope),
    differences: round(found.slope),
    error: round(Math.abs(slope - found.slope) / scale),
    spread: round(found.spread / scale),
  };
}

const results = [];
for (const path of positionals) {
  const line = await measure(path);
  console.error(
    Object.entries(line)
      .map(([key, value]) => `${key} ${value}`)
      .join("  "),
  );
  results.push(line);
}
console.log(JSON.stringify(results));
