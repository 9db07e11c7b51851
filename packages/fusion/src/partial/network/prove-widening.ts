import {
  at,
  createCheckpoint,
  EngineError,
  entry,
  formatShape,
  sameShape,
  sizeOf,
  type Tensor,
  UnsupportedError,
} from "@isthmus/core";
import { type Engine, type Graph, randomInputs, randomWeights, runAll } from "@isthmus/graph";
import type { SeparableGraph, Widening } from "../graph/plan-widening.ts";
import type { WidePlan } from "../graph/wide-plan.ts";
import { widenedShape } from "../graph/widen-node.ts";
import { gatherAxis } from "../kernels/gather-axis.ts";
import { widenNetwork } from "./widen-network.ts";

/** Largest difference that rounding explains, relative to the largest number of a value. */
const TOLERANCE = 1e-3;

/** Result of {@link proveWidening}: the number of compared values, and their largest error. */
export interface WideningProof {
  /** Number of values that were compared. */
  readonly values: number;
  /** Largest difference from the prediction, relative to the largest number of the value. */
  readonly maxRelativeError: number;
}

/**
 * Proves a wide graph: every value of a random network that is merged with itself must equal the value in the
 * network alone, with units in their new places.
 *
 * @throws UnsupportedError if a value differs; the message names the first node that computes one
 */
export async function proveWidening(engine: Engine, plan: WidePlan, seed: number): Promise<WideningProof> {
  const { graph: wide, separable, widening } = plan;
  const { graph, data, types } = separable.probed;
  const { expected, actual } = await runBoth(engine, plan, seed);
  let maxRelativeError = 0;
  let values = 0;
  for (const { op, name: node, outputs } of wide.nodes) {
    for (const name of outputs) {
      const value = actual.get(name);
      if (value === undefined || !data.has(name) || !(value.data instanceof Float32Array)) continue;
      const shape = widenedShape({ types }, widening.values, name);
      if (!sameShape(shape, value.shape)) {
        const shapes = `${formatShape(value.shape)} instead of ${formatShape(shape)}`;
        throw refuse(graph, `node "${node}" (${op}) gives ${shapes}`);
      }
      const predicted = spread(entry(expected, name, "value"), widening, name);
      const error = relativeError(predicted, value.data);
      if (!(error <= TOLERANCE)) {
        const difference = `${error.toExponential(1)} of its largest number`;
        throw refuse(graph, `node "${node}" (${op}) computes something else, by ${difference}`);
      }
      maxRelativeError = Math.max(maxRelativeError, error);
      values++;
    }
  }
  return { values, maxRelativeError };
}

type Values = ReadonlyMap<string, Tensor>;

/** Computes all values of a random network, for the network alone and merged with itself. */
async function runBoth(
  engine: Engine,
  plan: WidePlan,
  seed: number,
): Promise<{ readonly expected: Values; readonly actual: Values }> {
  const { graph } = plan.separable.probed;
  const weights = randomWeights(graph, seed);
  const random = createCheckpoint(weights);
  const twice = widenNetwork(plan, [random, random]);
  const inputs = randomInputs(graph, firstExtent(plan.separable), seed);
  const expected = await runAll(graph, engine, new Map([...inputs, ...weights]));
  const feeds = new Map<string, Tensor>(inputs);
  for (const name of plan.graph.weights.keys()) feeds.set(name, await twice.read(name));
  const actual = await runAll(plan.graph, engine, feeds).catch((cause) => {
    if (!(cause instanceof EngineError)) throw cause;
    throw refuse(graph, `the engine must be able to run the wide graph: ${cause.message}`, cause);
  });
  return { expected, actual };
}

/** Returns the number of examples in the run of the probe. */
function firstExtent({ probed: { graph, types } }: SeparableGraph): number {
  const { name } = at(graph.inputs, 0, "input");
  return at(entry(types, name, "input").shape, 0, "axis");
}

function refuse({ name }: Graph, rule: string, cause?: unknown): UnsupportedError {
  return new UnsupportedError(
    `Cannot keep units of "${name}" apart as a network merged with itself must compute what it did: ${rule}; leave out the symmetries that this node reads, by a width of 1 for them`,
    { feature: "width", cause },
  );
}

/** Moves the units of a value to their places in the wide network. */
function spread(value: Tensor, { values }: Widening, name: string): Float32Array {
  let { data, shape }: { data: Float32Array; shape: readonly number[] } = {
    data: value.data as Float32Array,
    shape: value.shape,
  };
  for (const [axis, { from }] of values.get(name) ?? []) {
    const inner = sizeOf(shape.slice(axis + 1));
    const extent = at(shape, axis, "axis");
    const out = new Float32Array((data.length / extent) * from.length);
    gatherAxis(data, { extent, inner, from }, out);
    data = out;
    shape = shape.map((own, i) => (i === axis ? from.length : own));
  }
  return data;
}

function relativeError(expected: Float32Array, actual: Float32Array): number {
  let largest = 0;
  let difference = 0;
  for (let i = 0; i < expected.length; i++) {
    const [x, y] = [expected[i] as number, actual[i] as number];
    // Masks hold infinities; equal ones do not differ.
    if (Number.isFinite(x)) largest = Math.max(largest, Math.abs(x));
    if (Object.is(x, y) || x === y) continue;
    if (Number.isNaN(x) || Number.isNaN(y)) return Number.NaN;
    difference = Math.max(difference, Math.abs(x - y));
  }
  return difference === 0 ? 0 : difference / largest;
}
