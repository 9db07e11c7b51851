import { at, type Checkpoint, defineCheckpoint, MismatchError, stridesOf, strideTable } from "@isthmus/core";
import { readPermutedInto } from "../read-permuted.ts";

/**
 * An axis of a weight on which each part has one index, such as the rows of a router, one for each expert.
 */
export interface Selector {
  /** Name of the weight. */
  readonly weight: string;
  /** Shape of the weight. */
  readonly shape: readonly number[];
  /** Axis of the weight on which the parts have their indices. */
  readonly axis: number;
  /** Index of each part on the axis. */
  readonly indices: Int32Array;
}

/**
 * Parts of a network that are built alike, have weights of their own and are added up, such as the experts of
 * a mixture.
 */
export interface AlikeParts {
  /** Name: the common part of the names of their weights. */
  readonly name: string;
  /** The weights of each part, in corresponding order. */
  readonly parts: readonly (readonly string[])[];
  /** Value that the parts' shares are selected from, with its axis; undefined without shares. */
  readonly shares: { readonly value: string; readonly axis: number } | undefined;
  /** Index of each part's share along that axis; empty without shares. */
  readonly indices: readonly number[];
  /** Name of the value that is the sum of the parts. */
  readonly sum: string;
}

/** Parts that may change places, together with the weights that select them. */
export interface Exchange extends AlikeParts {
  /** Axes of weights that are reordered together with the parts; empty without such weights. */
  readonly selectors: readonly Selector[];
}

/**
 * Lets parts of a network change places: part `orders[k][i]` of exchange `k` goes to the place of part `i`.
 * The result computes the same. Lazy: a tensor is read from its part when it is asked for.
 *
 * @throws MismatchError if an order is no permutation of the parts, or the network lacks a weight
 */
export function exchangeParts(
  network: Checkpoint,
  exchanges: readonly Exchange[],
  orders: readonly Int32Array[],
): Checkpoint {
  const sourceOf = new Map<string, string>();
  const tablesOf = new Map<string, readonly Int32Array[]>();
  exchanges.forEach((exchange, index) => {
    const { parts, selectors } = exchange;
    const order = at(orders, index, "order");
    assertOrder(exchange, order);
    parts.forEach((weights, part) => {
      const from = at(parts, at(order, part, "part"), "part");
      for (const [k, weight] of weights.entries()) sourceOf.set(weight, at(from, k, "weight"));
    });
    for (const selector of selectors) {
      const tables = tablesOf.get(selector.weight) ?? tablesAlong(selector.shape);
      tablesOf.set(selector.weight, reordered(tables, selector, order));
    }
  });
  for (const name of [...sourceOf.keys(), ...tablesOf.keys()]) assertHas(network, name);
  const tensors = [...network.tensors].map(([name, info]) => {
    const source = sourceOf.get(name);
    return [name, (source === undefined ? undefined : network.tensors.get(source)) ?? info] as const;
  });
  return defineCheckpoint({
    source: `${network.source} (exchanged)`,
    tensors: new Map(tensors),
    metadata: network.metadata,
    inputs: [network],
    async readInto(name, begin, out) {
      const tables = tablesOf.get(name);
      if (tables === undefined) await network.readRangeInto(sourceOf.get(name) ?? name, begin, out);
      else await readPermutedInto({ checkpoint: network, name, tables }, begin, out);
    },
  });
}

function assertOrder({ name, parts }: Exchange, order: Int32Array): void {
  const isWhole = order.length === parts.length && new Set(order).size === order.length;
  if (isWhole && order.every((part) => part >= 0 && part < parts.length)) return;
  throw new MismatchError(
    `Cannot exchange the parts of "${name}" as the order must name each of ${parts.length} parts once: it is ${order.join(", ")}`,
    { parameters: [name] },
  );
}

function assertHas(network: Checkpoint, name: string): void {
  if (network.tensors.has(name)) return;
  throw new MismatchError(
    `Cannot exchange parts of a network as it must have the weight "${name}": there is none`,
    { parameters: [name] },
  );
}

/** Returns the offsets of the indices of each axis of a tensor. */
function tablesAlong(shape: readonly number[]): Int32Array[] {
  const strides = stridesOf(shape);
  return shape.map((extent, axis) => strideTable(extent, at(strides, axis, "axis")));
}

/** Takes the indices of parts along an axis in another order. */
function reordered(
  tables: readonly Int32Array[],
  { axis, indices }: Selector,
  order: Int32Array,
): readonly Int32Array[] {
  const before = at(tables, axis, "axis");
  const after = before.slice();
  order.forEach((source, part) => {
    after[at(indices, part, "part")] = at(before, at(indices, source, "part"), "index");
  });
  return tables.with(axis, after);
}
