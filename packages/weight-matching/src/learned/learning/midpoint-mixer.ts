import { createTensor, entry, sizeOf, type Tensor } from "@isthmus/core";
import { createFeedHolder, type Graph } from "@isthmus/graph";
import { add, GraphBuilder, mul, reshape, type Value } from "@isthmus/graph/builder";
import type { Doubles, FramedPair } from "../stream-frame.ts";
import { blendInto, MIDDLE } from "./blend.ts";
import { type ChangedWeight, changedWeights, fromRows, less, mixRows, toRows } from "./changed-weights.ts";
import { addUnitInputs, type MixedUnits, type UnitInputs } from "./unit-inputs.ts";
import { createUnitMover, renewInPlace } from "./unit-mover.ts";

/**
 * Mixed B, and a network between it and A, in f32. Tensors that the engine makes may lie on its device, so that
 * only its sessions can take them; the others are other objects whenever they change.
 */
export interface MidpointWeights {
  /** Between both, to be fed; overwritten by the next call. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** The weights of permuted and mixed B that change; overwritten by the next call. */
  readonly network: ReadonlyMap<string, Tensor>;
}

/** Mixer that permutes, mixes and multiplies networks and averages them with A, by the engine. */
export interface MidpointMixer {
  /**
   * Returns a function that permutes, mixes and multiplies a network and blends it with A: `(1 - t) a + t b`,
   * half-way if no `t` is given.
   * @param b - placed, not yet mixed
   */
  of(b: Doubles): (units: MixedUnits, t?: number) => Promise<MidpointWeights>;
  /** Frees the sessions of the engine. */
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
  architecture,
  frame,
  a,
}: Omit<FramedPair, "b">): Promise<MidpointMixer> {
  const { graph, engine } = architecture;
  // Weights that are only permuted are moved without the engine.
  const changed = changedWeights(architecture, frame).filter(
    ({ mixed, multiplied }) => mixed.length + multiplied.length > 0,
  );
  const builder = new GraphBuilder("mixture", OPSET);
  const inputs = addUnitInputs(builder, changed);
  const shares = addShares(builder);
  const outputs = changed.flatMap((weight) => addMidpoint(builder, { inputs, shares }, weight));
  const staying = new Set(outputs.map(({ name }) => name));
  const session =
    changed.length === 0 ? undefined : await engine.load(builder.build(outputs), { ...ONE_THREAD, staying });
  const hold = createFeedHolder({ memory: session?.memory });
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
      const placed = singles(b, graph);
      const mover = createUnitMover(frame.movable, placed);
      const ends = (two: ReadonlyMap<string, Tensor>) =>
        changed.flatMap(({ name }) => [
          [`a ${name}`, entry(one, name, "weight")] as const,
          [`b ${name}`, entry(two, name, "weight")] as const,
        ]);
      const fixed = [...graph.weights].filter(([name]) => !means.has(name));
      const ofFixed = zeros(fixed.map(([name, { shape }]) => ({ name, shape })));
      let blended: number | undefined;
      return async (units, t = MIDDLE) => {
        const hasMoved = mover.move(units.places);
        const two = new Map([...placed, ...mover.tensors]);
        if (hasMoved || t !== blended) blendTensors([one, two], t, ofFixed);
        blended = t;
        inputs.fill(units);
        shares.fill(t);
        const held = await hold(new Map(ends(two)));
        await session?.run(new Map([...inputs.feeds, ...shares.feeds, ...held]), out);
        const weights = [...graph.weights.keys()].map(
          (name) => [name, means.get(name) ?? entry(ofFixed, name, "weight")] as const,
        );
        return { weights: new Map(weights), network: new Map([...mover.tensors, ...network]) };
      };
    },
    async release() {
      await session?.release();
    },
  };
}

/** Shares of A and of B in a network between A and mixed B, as inputs of a graph. */
interface Shares {
  readonly ofA: Value;
  readonly ofB: Value;
  readonly feeds: ReadonlyMap<string, Tensor>;
  fill(t: number): void;
}

function addShares(builder: GraphBuilder): Shares {
  const [ofA, ofB] = ["a", "b"].map((end) => {
    const name = `share ${end}`;
    const tensor = createTensor("f32", [], new Float32Array(1));
    return { name, tensor, value: builder.input(name, { dtype: "f32", shape: [] }) };
  }) as [Share, Share];
  return {
    ofA: ofA.value,
    ofB: ofB.value,
    feeds: new Map([ofA, ofB].map(({ name, tensor }) => [name, tensor])),
    fill(t) {
      ofA.tensor.data[0] = 1 - t;
      ofB.tensor.data[0] = t;
    },
  };
}

interface Share {
  readonly name: string;
  readonly tensor: Tensor;
  readonly value: Value;
}

/** Adds a changed weight and its mean with A's to a graph, and returns both. */
function addMidpoint(
  builder: GraphBuilder,
  { inputs: { matricesOf, factorsOf }, shares }: { readonly inputs: UnitInputs; readonly shares: Shares },
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
  const mean = add(mul(a as Value, shares.ofA), mul(whole, shares.ofB));
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

function zeros(weights: readonly Pick<ChangedWeight, "name" | "shape">[]): Map<string, Tensor> {
  return new Map(
    weights.map(({ name, shape }) => [name, createTensor("f32", shape, new Float32Array(sizeOf(shape)))]),
  );
}

/** Writes the weights between two networks. */
function blendTensors(
  networks: readonly [ReadonlyMap<string, Tensor>, ReadonlyMap<string, Tensor>],
  t: number,
  out: Map<string, Tensor>,
): void {
  for (const [name, { data }] of out) {
    const [one, two] = networks.map((network) => entry(network, name, "weight").data as Float32Array);
    blendInto([one as Float32Array, two as Float32Array], t, data as Float32Array);
  }
  renewInPlace(out, [...out.keys()]);
}
