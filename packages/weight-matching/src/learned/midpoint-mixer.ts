import { createTensor, entry, sizeOf, type Tensor } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { add, GraphBuilder, mul, reshape, type Value } from "@isthmus/graph/builder";
import type { Mixture } from "@isthmus/symmetry";
import { meanOf } from "../straight-through/kernels/step.ts";
import { addFactorStacks, type FactorStacks } from "./factor-stacks.ts";
import { fromRows, type MixedWeight, mixedWeights, mixRows, toRows } from "./mixed-rows.ts";
import type { Doubles, FramedPair } from "./stream-frame.ts";

/** Mixed B, and the network half-way between it and A, in f32. */
export interface MidpointWeights {
  /** Half-way, to be fed; overwritten by the next call. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** The weights of mixed B that matrices change; overwritten by the next call. */
  readonly network: ReadonlyMap<string, Tensor>;
}

/** Mixes networks and averages them with A, by the engine. */
export interface MidpointMixer {
  /**
   * Returns a function that mixes a network and averages it with A.
   * @param b - permuted, not yet mixed
   */
  of(b: Doubles): (mixture: Mixture) => Promise<MidpointWeights>;
  /** Frees what the engine holds. */
  release(): Promise<void>;
}

/** Operator set of graphs that mix. */
export const OPSET = 17;

/**
 * Prepares to mix networks and to average them with A: one graph does it for all weights that matrices change,
 * in f32, and writes into the same tensors each time.
 */
export async function createMidpointMixer({
  architecture: { graph, engine },
  frame: {
    symmetries: { mixing },
  },
  a,
}: Pick<FramedPair, "architecture" | "frame" | "a">): Promise<MidpointMixer> {
  const mixable = mixedWeights(graph, mixing);
  const builder = new GraphBuilder("mixture", OPSET);
  const stacks = addFactorStacks(builder, mixable);
  const outputs = mixable.flatMap((weight) => addMidpoint(builder, stacks, weight));
  const session = mixable.length === 0 ? undefined : await engine.load(builder.build(outputs));
  const one = singles(a, graph);
  const network = zeros(mixable);
  const means = zeros(mixable);
  const out = new Map(
    mixable.flatMap(({ name }) => [
      [`mixed ${name}`, entry(network, name, "weight")] as const,
      [`mean ${name}`, entry(means, name, "weight")] as const,
    ]),
  );
  return {
    of(b) {
      const two = singles(b, graph);
      const feeds = new Map(stacks.feeds);
      for (const { name } of mixable) {
        feeds.set(`a ${name}`, entry(one, name, "weight"));
        feeds.set(`b ${name}`, entry(two, name, "weight"));
      }
      const weights = new Map(
        [...graph.weights.keys()].map((name) => [name, means.get(name) ?? meanTensor(one, two, name)]),
      );
      return async (mixture) => {
        stacks.fill(mixture);
        await session?.run(feeds, out);
        return { weights, network };
      };
    },
    async release() {
      await session?.release();
    },
  };
}

/** Adds the mixed weight and its mean with A's to a graph, and returns both. */
function addMidpoint(
  builder: GraphBuilder,
  stacks: FactorStacks,
  { name, shape, views }: MixedWeight,
): Value[] {
  const [a, b] = ["a", "b"].map((end) => builder.input(`${end} ${name}`, { dtype: "f32", shape }));
  let mixed = b as Value;
  for (const view of views) mixed = fromRows(mixRows(toRows(mixed, view), view, stacks.matricesOf), view);
  const whole = reshape(mixed, shape);
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

function zeros(weights: readonly MixedWeight[]): Map<string, Tensor> {
  return new Map(
    weights.map(({ name, shape }) => [name, createTensor("f32", shape, new Float32Array(sizeOf(shape)))]),
  );
}

function meanTensor(a: ReadonlyMap<string, Tensor>, b: ReadonlyMap<string, Tensor>, name: string): Tensor {
  const [one, two] = [a, b].map((network) => entry(network, name, "weight"));
  const { shape } = one as Tensor;
  return createTensor("f32", shape, meanOf(one?.data as Float32Array, two?.data as Float32Array));
}
