import { createRandom, DTYPES, type Tensor } from "@isthmus/core";
import { type Engine, type Graph, runAll } from "@isthmus/graph";
import { compareInPlace } from "./compare-values.ts";

/** Relative change of every weight by which sensitivity is measured: ten times the rounding of f32. */
const PERTURBATION = 1e-6;

/**
 * Measures how much each value of a network changes, relative to its largest element, when every weight
 * changes by about 1e-6: the least error that rounding could explain. The change is about as small for most
 * values, but large in chaotic networks and for values that only rounding keeps from zero, such as the mean
 * of a normalised vector.
 */
export async function measureSensitivity(
  graph: Graph,
  engine: Engine,
  network: {
    readonly inputs: ReadonlyMap<string, Tensor>;
    readonly weights: ReadonlyMap<string, Tensor>;
    /** Values that the network computes with unchanged weights. */
    readonly values: ReadonlyMap<string, Tensor>;
  },
  seed: number,
): Promise<ReadonlyMap<string, number>> {
  const { inputs, weights, values } = network;
  const perturbed = new Map<string, Tensor>();
  for (const [name, tensor] of weights) perturbed.set(name, perturb(tensor, seed, name));
  const after = await runAll(graph, engine, new Map([...inputs, ...perturbed]));
  const sensitivity = new Map<string, number>();
  for (const [name, tensor] of values) {
    const other = after.get(name);
    if (other !== undefined) sensitivity.set(name, compareInPlace(tensor, other));
  }
  return sensitivity;
}

function perturb(tensor: Tensor, seed: number, name: string): Tensor {
  const { dtype, data } = tensor;
  // Only weights of 32 bits or more can change by so little.
  if (!DTYPES[dtype].float || !(data instanceof Float32Array || data instanceof Float64Array)) return tensor;
  const random = createRandom(seed, `perturb ${name}`);
  return { ...tensor, data: data.map((value) => value * (1 + PERTURBATION * (2 * random.uniform() - 1))) };
}
