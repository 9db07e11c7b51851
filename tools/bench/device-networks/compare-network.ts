import {
  at,
  type Checkpoint,
  createCheckpoint,
  createRandom,
  entry,
  sizeOf,
  type Tensor,
} from "@isthmus/core";
import { createOnnxRuntimeEngine, type Placement } from "@isthmus/engine";
import {
  type DeviceName,
  type Engine,
  type Graph,
  randomInputs,
  randomWeights,
  specialize,
} from "@isthmus/graph";
import { typesOf } from "@isthmus/graph/ir";
import { createStepRunner, createTrainingStep, type TrainingStep } from "@isthmus/training";
import type { DeviceNetwork } from "./networks.ts";

/** Results of a network on a device, compared with those of the processor. */
export interface NetworkOnDevice {
  readonly network: string;
  readonly group: DeviceNetwork["group"];
  /** Shape of the examples of the batch. */
  readonly examples?: readonly number[];
  readonly forward?: RunOnDevice;
  /** A step of stochastic gradient descent with momentum by cross-entropy. */
  readonly step?: RunOnDevice;
  /**
   * Largest distance of the processor's gradients from the ones it computes if the last bit of every weight
   * changes, over their length: how far rounding alone moves them, of a few draws.
   */
  readonly rounding?: number;
  /** Message of the error that ended the comparison. */
  readonly failure?: string;
}

/** A run on a device. */
export interface RunOnDevice {
  /** Euclidean distance of outputs, or of all gradients, from those of the processor, over their length there. */
  readonly difference: number;
  /** Number of nodes that ran on the device. */
  readonly onDevice: number;
  /** Number of nodes that ran on the processor in its place, by operator. */
  readonly onProcessor: Readonly<Record<string, number>>;
}

const BATCH = 2;
const SEED = 0;
/** Draws of changed bits: an element of a ReLU that is nearly 0 changes its side in some of them only. */
const DRAWS = 3;

/** Computes a network on a device and on the processor, forward and a step of training. */
export async function compareNetwork(
  { name, group, graphs }: DeviceNetwork,
  device: DeviceName,
  onProgress: (result: NetworkOnDevice) => void,
): Promise<NetworkOnDevice> {
  let placements: Placement[] = [];
  const there = createOnnxRuntimeEngine({ device, onPlacement: (placement) => placements.push(placement) });
  const here = createOnnxRuntimeEngine();
  /** Compares what both engines compute, and tells where the nodes of the largest graph ran. */
  const compare = async (compute: (engine: Engine) => Promise<Tensors>): Promise<RunOnDevice> => {
    const expected = await compute(here);
    placements = [];
    const computed = await compute(there);
    const [largest] = placements.toSorted((a, b) => countOf(b) - countOf(a));
    return {
      difference: distance(computed, expected),
      onDevice: largest?.onDevice ?? 0,
      onProcessor: Object.fromEntries(largest?.onProcessor ?? []),
    };
  };
  let result: NetworkOnDevice = { network: name, group };
  const graph = await firstThatRuns(await graphs(), here);
  const weights = createCheckpoint(randomWeights(graph, SEED));
  const inputs = randomInputs(graph, BATCH, SEED);
  const [examples] = inputs.values();
  result = { ...result, ...(examples && { examples: examples.shape }) };
  try {
    result = { ...result, forward: await compare((engine) => runForward(engine, graph, weights, inputs)) };
    onProgress(result);
    const step = await compare((engine) => runStep(engine, graph, weights, inputs));
    const expected = await runStep(here, graph, weights, inputs);
    let rounding = 0;
    for (let draw = 0; draw < DRAWS; draw++) {
      const moved = await runStep(here, graph, await moveLastBits(weights, draw), inputs);
      rounding = Math.max(rounding, distance(moved, expected));
    }
    return { ...result, step, rounding };
  } catch (error) {
    return { ...result, failure: (error as Error).message };
  }
}

type Tensors = ReadonlyMap<string, Tensor>;

const countOf = ({ onDevice, onProcessor }: Placement): number =>
  [...onProcessor.values()].reduce((sum, count) => sum + count, onDevice);

async function firstThatRuns(graphs: readonly Graph[], engine: Engine): Promise<Graph> {
  const [graph, ...others] = graphs;
  if (graph === undefined) throw new Error("Cannot run a network as none of its graphs runs");
  if (others.length === 0) return graph;
  try {
    await specialize({ graph, engine }, { batch: BATCH });
    return graph;
  } catch {
    return firstThatRuns(others, engine);
  }
}

async function runForward(
  engine: Engine,
  graph: Graph,
  weights: Checkpoint,
  inputs: Tensors,
): Promise<Tensors> {
  const session = await engine.load(graph);
  const outputs = await session.run(new Map([...inputs, ...(await readAll(weights))]));
  await session.release();
  return outputs;
}

/** Returns weights whose last bit is one more or one less, at random. */
async function moveLastBits(weights: Checkpoint, seed: number): Promise<Checkpoint> {
  const random = createRandom(seed, "last bits");
  const moved = await readAll(weights);
  for (const { dtype, data } of moved.values()) {
    if (dtype !== "f32") continue;
    const bits = new Int32Array(data.buffer, data.byteOffset, data.length);
    for (let i = 0; i < bits.length; i++)
      if (data[i] !== 0) bits[i] = (bits[i] ?? 0) + (random.uniform() < 0.5 ? -1 : 1);
  }
  return createCheckpoint(moved);
}

async function readAll(weights: Checkpoint): Promise<Map<string, Tensor>> {
  const tensors = new Map<string, Tensor>();
  for (const name of weights.tensors.keys()) {
    const tensor = await weights.read(name);
    tensors.set(name, { ...tensor, data: tensor.data.slice() as Tensor["data"] });
  }
  return tensors;
}

/** Makes a step, and returns the momenta, which are the gradients after the first one. */
async function runStep(engine: Engine, graph: Graph, weights: Checkpoint, inputs: Tensors): Promise<Tensors> {
  const examples = at([...inputs.keys()], 0, "input");
  const step = await createTrainingStep(graph, engine, {
    batch: BATCH,
    loss: { kind: "cross-entropy", examples },
    optimizer: { kind: "sgd", momentum: 0.9, weightDecay: 0 },
  });
  const runner = await createStepRunner(step, engine, weights, { seed: SEED });
  await runner.run({ step: 0, learningRate: 0.01 }, new Map([...inputs, [step.targets, labelsOf(step)]]));
  const states = step.carried.filter(({ role }) => role === "state").map(({ input }) => input);
  const carried = await runner.carried();
  const gradients = new Map(states.map((name) => [name, entry(carried, name, "momentum")]));
  await runner.release();
  return gradients;
}

function labelsOf({ graph, targets }: TrainingStep): Tensor {
  const { shape } = entry(typesOf(graph), targets, "input");
  const random = createRandom(SEED, "labels");
  const data = BigInt64Array.from({ length: sizeOf(shape) }, () => BigInt(random.integer(2)));
  return { dtype: "i64", shape, data };
}

function distance(computed: Tensors, expected: Tensors): number {
  let [difference, length] = [0, 0];
  for (const [name, { data }] of expected) {
    const other = entry(computed, name, "output").data;
    for (let i = 0; i < data.length; i++) {
      difference += (Number(other[i]) - Number(data[i])) ** 2;
      length += Number(data[i]) ** 2;
    }
  }
  return Math.sqrt(difference / length);
}
