import { createTensor, entry, sizeOf, type Tensor } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { add, GraphBuilder, mul, reshape, type Value } from "@isthmus/graph/builder";
import { meanOf } from "../../straight-through/kernels/step.ts";
import type { Doubles, FramedPair } from "../stream-frame.ts";
import { type ChangedWeight, changedWeights, fromRows, less, mixRows, toRows } from "./changed-weights.ts";
import { addUnitInputs, type MixedUnits, type UnitInputs } from "./unit-inputs.ts";

/** Mixed B, and the network half-way between it and A, in f32. */
export interface MidpointWeights {
  /** Half-way, to be fed; overwritten by the next call. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** The weights of mixed B that change; overwritten by the next call. */
  readonly network: ReadonlyMap<string, Tensor>;
}

/** Mixes and multiplies networks and averages them with A, by the engine. */
export interface MidpointMixer {
  /**
   * Returns a function that mixes and multiplies a network and averages it with A.
   * @param b - placed, not yet mixed
   */
  of(b: Doubles): (units: MixedUnits) => Promise<MidpointWeights>;
  /** Frees what the engine holds. */
  release(): Promise<void>;
}

/** Operator set of the graphs that mix. */
export const OPSET = 17;

/**
 * A graph that takes milliseconds gains little from threads, which wait in a loop afterwards and take time
 * from the threads that compute gradients.
 */
export const ONE_THREAD = { threads: 1 } as const;

/**
 * Prepares to mix and multiply networks and to average them with A: one graph does it for all weights that
 * change, in f32, and writes into the same tensors each time.
 */
export async function createMidpointMixer({
  architecture: { graph, engine },
  frame,
  a,
}: Omit<FramedPair, "b">): Promise<MidpointMixer> {
  const changed = changedWeights(graph, frame);
  const builder = new GraphBuilder("mixture", OPSET);
  const inputs = addUnitInputs(builder, changed);
  const outputs = changed.flatMap((weight) => addMidpoint(builder, inputs, weight));
  const session = changed.length === 0 ? undefined : await engine.load(builder.build(outputs), ONE_THREAD);
  const one = singles(a, graph);
  const network = zeros(changed);
  const means = zeros(changed);
  const out = new Map(
    changed.flatMap(({ name }) => [
      [`mixed ${name}`, entry(network, name, "weight")] as const,
      [`mean ${name}`, entry(means, name, "weight")] as const,
    ]),
  );
  return {
    of(b) {
      const two = singles(b, graph);
      const feeds = new Map(inputs.feeds);
      for (const { name } of changed) {
        feeds.set(`a ${name}`, entry(one, name, "weight"));
        feeds.set(`b ${name}`, entry(two, name, "weight"));
      }
      const weights = new Map(
        [...graph.weights.keys()].map((name) => [name, means.get(name) ?? meanTensor([one, two], name)]),
      );
      return async (units) => {
        inputs.fill(units);
        await session?.run(feeds, out);
        return { weights, network };
      };
    },
    async release() {
      await session?.release();
    },
  };
}

/** Adds a changed weight and its mean with A's to a graph, and returns both. */
function addMidpoint(
  builder: GraphBuilder,
  { matricesOf, factorsOf }: UnitInputs,
  { name, shape, mixed, multiplied }: ChangedWeight,
): Value[] {
  const [a, b] = ["a", "b"].map((end) => builder.input(`${end} ${name}`, { dtype: "f32", shape }));
  let value = b as Value;
  for (const rows of mixed) value = fromRows(mixRows(toRows(value, rows), rows, matricesOf), rows);
  for (const rows of multiplied) {
    const distance = less(reshape(value, rows.view), rows.origin);
    value = less(mul(distance, factorsOf(rows)), -rows.origin);
  }
  const whole = reshape(value, shape);
  const mean = mul(add(a as Value, whole), 0.5);
  return [builder.rename(whole, `mixed ${name}`), builder.rename(mean, `mean ${name}`)];
}

/** Converts a network to f32. */
function singles(network: Doubles, { weights }: Graph): Map<string, Tensor> {
  return new Map(
    [...weights].map(([name, { shape }]) => [
      name,
      createTensor("f32", shape, Float32Array.from(entry(network, name, "weight"))),
    ]),
  );
}

function zeros(weights: readonly ChangedWeight[]): Map<string, Tensor> {
  return new Map(
    weights.map(({ name, shape }) => [name, createTensor("f32", shape, new Float32Array(sizeOf(shape)))]),
  );
}

function meanTensor(networks: readonly ReadonlyMap<string, Tensor>[], name: string): Tensor {
  const [one, two] = networks.map((network) => entry(network, name, "weight")) as [Tensor, Tensor];
  return createTensor("f32", one.shape, meanOf(one.data as Float32Array, two.data as Float32Array));
}
