import { at, type Checkpoint, createRandom, createTensor, toFloat64, withTensors } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import type { Architecture, DataSet, Graph } from "@isthmus/graph";
import type { ClientExamples } from "@isthmus/simulation";
import { type TrainOptions, train } from "@isthmus/training";

/** A client: its examples and how many of each class it has. */
export interface Client {
  readonly data: DataSet;
  /** `[classes]` */
  readonly counts: readonly number[];
  /** Weight in averages, of any scale, see {@link CLIENT_WEIGHTS}. */
  readonly weight: number;
  readonly seed: number;
}

/**
 * Ways to weigh clients in averages, by how many examples of each class they have: `examples` counts all,
 * `even` counts every client alike, and `coverage` is the harmonic mean over classes, of one more than there
 * are: the inverse variance of a mean over classes, which one class that is hardly known makes large.
 */
export const CLIENT_WEIGHTS = {
  examples: (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0),
  even: () => 1,
  coverage: (counts: readonly number[]) =>
    counts.length / counts.reduce((sum, count) => sum + 1 / (count + 1), 0),
} as const;

/** A way to weigh clients in averages. */
export type ClientWeight = keyof typeof CLIENT_WEIGHTS;

/** How clients train, beyond the data. */
export interface LocalTraining extends Omit<TrainOptions, "seed"> {
  /**
   * Whether the loss corrects for the client's own class frequencies, so that logits do not know them
   * (balanced softmax).
   */
  readonly balanced: boolean;
}

/** Reads the examples of a client, in the order of `positions`, into memory. */
function selectExamples(data: DataSet, positions: Uint32Array, name: string): DataSet {
  const { inputs, labels } = data.read(0, data.size);
  const row = inputs.data.length / data.size;
  const selected = new Float32Array(positions.length * row);
  positions.forEach((position, i) => {
    selected.set((inputs.data as Float32Array).subarray(position * row, (position + 1) * row), i * row);
  });
  const tensor = createTensor("f32", [positions.length, ...data.exampleShape], selected);
  const classes = Int32Array.from(positions, (position) => labels[position] as number);
  return createDataSet(tensor, classes, { name, classes: data.classes });
}

/** Makes the clients of a partition, each with a seed of its own. */
export function createClients(
  data: DataSet,
  parts: readonly ClientExamples[],
  { seed, by }: { readonly seed: number; readonly by: ClientWeight },
): Client[] {
  return parts.map(({ client, positions, labels }, i) => ({
    data: selectExamples(data, positions, client),
    counts: labels,
    weight: CLIENT_WEIGHTS[by](labels),
    seed: createRandom(seed, `client ${i}`).integer(2 ** 32),
  }));
}

/** Trains a network on a client's examples from some weights. */
export async function trainClient(
  architecture: Architecture,
  start: Checkpoint,
  { data, counts, seed }: Client,
  { balanced, ...options }: LocalTraining,
): Promise<Checkpoint> {
  const run = async (weights: Checkpoint) =>
    (await train(architecture, weights, data, { ...options, seed })).weights;
  if (!balanced) return run(start);
  // Softmax of logits plus log frequencies has the same gradients as a bias that starts with them added, so
  // that no graph changes: they are added before and subtracted after training.
  const priors = counts.map((count) => Math.log((count + 1) / (data.size + counts.length)));
  const trained = await run(await shiftOutputs(architecture.graph, start, priors, 1));
  return shiftOutputs(architecture.graph, trained, priors, -1);
}

/** Adds multiples of numbers to the bias of the last layer. */
async function shiftOutputs(
  graph: Graph,
  network: Checkpoint,
  shifts: readonly number[],
  factor: number,
): Promise<Checkpoint> {
  const name = [...graph.weights.keys()].at(-1) as string;
  const { data, dtype, shape } = await network.read(name);
  const shifted = toFloat64(data, dtype).map((x, i) => x + factor * at(shifts, i, "class"));
  return withTensors(network, new Map([[name, createTensor("f32", shape, Float32Array.from(shifted))]]));
}
