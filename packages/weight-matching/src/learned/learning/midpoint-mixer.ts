import { at, createTensor, entry, sizeOf, type Tensor } from "@isthmus/core";
import { createFeedHolder, type Graph } from "@isthmus/graph";
import { add, GraphBuilder, mul, reshape, type Value } from "@isthmus/graph/builder";
import type { Doubles, FramedPair, StreamFrame } from "../stream-frame.ts";
import { blendInto, type Shares } from "./blend.ts";
import { type ChangedWeight, changedWeights, fromRows, less, mixRows, toRows } from "./changed-weights.ts";
import { addUnitInputs, type MixedUnits, type UnitInputs } from "./unit-inputs.ts";
import { createUnitMover, renewInPlace } from "./unit-mover.ts";

/**
 * Mixed networks, and a mean of all, in f32. Tensors that the engine makes may lie on its device, so that
 * only its sessions can take them; all others are replaced by other objects whenever they change.
 */
export interface MidpointWeights {
  /** Mean of all networks, to be fed; overwritten by the next call. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** The changed weights of each network that moves; overwritten by the next call. */
  readonly networks: readonly ReadonlyMap<string, Tensor>[];
}

/** Function that moves networks and returns their mean by given shares, as {@link MidpointMixer} makes it. */
export type Mixing = (units: readonly MixedUnits[], shares: Shares) => Promise<MidpointWeights>;

/** Mixer that permutes, mixes and multiplies networks and averages all of them, by the engine. */
export interface MidpointMixer {
  /**
   * Returns a function that permutes, mixes and multiplies the networks that move, each by its units, and
   * averages all networks.
   * @param placed - all networks, placed, not yet mixed
   */
  of(placed: readonly Doubles[]): Mixing;
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

/** The networks that are averaged. */
export interface AveragedNetworks {
  /** Number of networks. */
  readonly count: number;
  /** Indices of the networks that move, ascending. */
  readonly movers: readonly number[];
}

/**
 * Prepares to mix and multiply networks and to average all of them: one graph does it for all weights that
 * change, in f32, and writes into the same tensors each time.
 */
export async function createMidpointMixer(
  { architecture, frame }: Pick<FramedPair, "architecture" | "frame">,
  { count, movers }: AveragedNetworks,
): Promise<MidpointMixer> {
  const { graph, engine } = architecture;
  // Weights that are only permuted are moved without the engine.
  const changed = changedWeights(architecture, frame).filter(
    ({ mixed, multiplied }) => mixed.length + multiplied.length > 0,
  );
  const builder = new GraphBuilder("mixture", OPSET);
  const inputs = new Map(
    movers.map((network) => [network, addUnitInputs(builder, changed, `${network} `)] as const),
  );
  const shares = addShares(builder, count);
  const outputs = changed.flatMap((weight) => addMidpoint(builder, { inputs, shares }, weight));
  const staying = new Set(outputs.map(({ name }) => name));
  const session =
    changed.length === 0 ? undefined : await engine.load(builder.build(outputs), { ...ONE_THREAD, staying });
  const hold = createFeedHolder({ memory: session?.memory });
  const mixed = movers.map((network) => ({ network, tensors: zeros(changed) }));
  const means = zeros(changed);
  const out = new Map(
    changed.flatMap(({ name }) => [
      ...mixed.map(
        ({ network, tensors }) => [`${network} mixed ${name}`, entry(tensors, name, "weight")] as const,
      ),
      [`mean ${name}`, entry(means, name, "weight")] as const,
    ]),
  );
  const fixed = [...graph.weights].filter(([name]) => !means.has(name));
  return {
    of(networks) {
      const placing = placeNetworks(
        frame,
        networks.map((network) => singles(network, graph)),
        movers,
      );
      const ofFixed = zeros(fixed.map(([name, { shape }]) => ({ name, shape })));
      let blended: string | undefined;
      return async (units, by) => {
        const { present, hasMoved } = placing.place(units);
        for (const [i, network] of movers.entries())
          entry(inputs, network, "network").fill(at(units, i, "network"));
        if (hasMoved || by.join() !== blended) blendTensors(present, by, ofFixed);
        blended = by.join();
        shares.fill(by);
        const feeds = present.flatMap((tensors, network) =>
          changed.map(({ name }) => [`${network} ${name}`, entry(tensors, name, "weight")] as const),
        );
        const held = await hold(new Map(feeds));
        const filled = [...inputs.values()].flatMap((input) => [...input.feeds]);
        await session?.run(new Map([...filled, ...shares.feeds, ...held]), out);
        const weights = [...graph.weights.keys()].map(
          (name) => [name, means.get(name) ?? entry(ofFixed, name, "weight")] as const,
        );
        const ofMovers = mixed.map(
          ({ tensors }, i) => new Map([...at(placing.moved, i, "network"), ...tensors]),
        );
        return { weights: new Map(weights), networks: ofMovers };
      };
    },
    async release() {
      await session?.release();
    },
  };
}

/** Prepares to move the hidden units of the networks that move to their places. */
function placeNetworks(
  { movable }: StreamFrame,
  placed: readonly ReadonlyMap<string, Tensor>[],
  movers: readonly number[],
) {
  const unitMovers = movers.map((network) => createUnitMover(movable, at(placed, network, "network")));
  return {
    /** The weights that hidden units lie in, of each network that moves. */
    moved: unitMovers.map(({ tensors }) => tensors),
    /** Moves the units, and returns the weights of all networks and whether any unit moved. */
    place(units: readonly MixedUnits[]) {
      const present = [...placed];
      const changes = unitMovers.map((mover, i) => mover.move(at(units, i, "network").places));
      for (const [i, network] of movers.entries())
        present[network] = new Map([
          ...at(placed, network, "network"),
          ...at(unitMovers, i, "network").tensors,
        ]);
      return { present, hasMoved: changes.includes(true) };
    },
  };
}

/** Shares of all networks in their mean, as inputs of a graph. */
interface ShareInputs {
  /** The share of each network. */
  readonly values: readonly Value[];
  readonly feeds: ReadonlyMap<string, Tensor>;
  fill(shares: Shares): void;
}

function addShares(builder: GraphBuilder, count: number): ShareInputs {
  const inputs = Array.from({ length: count }, (_, network) => {
    const name = `share ${network}`;
    const tensor = createTensor("f32", [], new Float32Array(1));
    return { name, tensor, value: builder.input(name, { dtype: "f32", shape: [] }) };
  });
  return {
    values: inputs.map(({ value }) => value),
    feeds: new Map(inputs.map(({ name, tensor }) => [name, tensor])),
    fill(shares) {
      for (const [network, { tensor }] of inputs.entries()) tensor.data[0] = at(shares, network, "share");
    },
  };
}

/** Inputs of the graph that mixes, beside the weights. */
interface MixerInputs {
  /** Matrices and factors of each network that moves, by its index. */
  readonly inputs: ReadonlyMap<number, UnitInputs>;
  readonly shares: ShareInputs;
}

/** Adds a changed weight of all networks and their mean to a graph; returns the moved ones and the mean. */
function addMidpoint(builder: GraphBuilder, { inputs, shares }: MixerInputs, weight: ChangedWeight): Value[] {
  const { name, shape } = weight;
  const moved: Value[] = [];
  const terms = shares.values.map((share, network) => {
    const placed = builder.input(`${network} ${name}`, { dtype: "f32", shape });
    const units = inputs.get(network);
    if (units === undefined) return mul(placed, share);
    const whole = reshape(addMoved(placed, units, weight), shape);
    moved.push(builder.rename(whole, `${network} mixed ${name}`));
    return mul(whole, share);
  });
  const [first, ...others] = terms;
  const mean = others.reduce((sum, term) => add(sum, term), first as Value);
  return [...moved, builder.rename(mean, `mean ${name}`)];
}

/** Mixes and multiplies the rows of a weight. */
function addMoved(
  placed: Value,
  { matricesOf, factorsOf }: UnitInputs,
  { mixed, multiplied }: ChangedWeight,
): Value {
  let value = placed;
  for (const rows of mixed) value = fromRows(mixRows(toRows(value, rows), rows, matricesOf), rows);
  for (const rows of multiplied) {
    const distance = less(reshape(value, rows.view), rows.origin);
    value = less(mul(distance, factorsOf(rows)), -rows.origin);
  }
  return value;
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

/** Writes the mean of networks by their shares. */
function blendTensors(
  networks: readonly ReadonlyMap<string, Tensor>[],
  shares: Shares,
  out: Map<string, Tensor>,
): void {
  for (const [name, { data }] of out) {
    const parts = networks.map((network) => entry(network, name, "weight").data as Float32Array);
    blendInto(parts, shares, data as Float32Array);
  }
  renewInPlace(out, [...out.keys()]);
}
