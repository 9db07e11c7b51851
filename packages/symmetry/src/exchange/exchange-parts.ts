import {
  at,
  type Checkpoint,
  createCheckpoint,
  InvariantError,
  MismatchError,
  sizeOf,
  type Tensor,
} from "@isthmus/core";

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
 * a mixture: they may change places, together with the weights that select them.
 */
export interface Exchange {
  /** Name: the common part of the names of their weights. */
  readonly name: string;
  /** The weights of each part, in corresponding order. */
  readonly parts: readonly (readonly string[])[];
  /** Axes of weights that are reordered together with the parts; empty without such weights. */
  readonly selectors: readonly Selector[];
  /** Value that the parts' shares are selected from, with its axis; undefined without shares. */
  readonly shares: { readonly value: string; readonly axis: number } | undefined;
  /** Index of each part's share along that axis; empty without shares. */
  readonly indices: readonly number[];
  /** Name of the value that is the sum of the parts. */
  readonly sum: string;
}

/**
 * Lets parts of a network change places: part `orders[k][i]` of exchange `k` goes to the place of part `i`.
 * The result computes the same. In memory.
 *
 * @throws MismatchError if an order is no permutation of the parts
 */
export async function exchangeParts(
  network: Checkpoint,
  exchanges: readonly Exchange[],
  orders: readonly Int32Array[],
): Promise<Checkpoint> {
  const tensors = new Map<string, Tensor>();
  for (const name of network.tensors.keys()) tensors.set(name, await network.read(name));
  exchanges.forEach((exchange, index) => {
    exchangeInPlace(tensors, exchange, at(orders, index, "order"));
  });
  return createCheckpoint(tensors, network.metadata, `${network.source} (exchanged)`);
}

function exchangeInPlace(tensors: Map<string, Tensor>, exchange: Exchange, order: Int32Array): void {
  const { name, parts, selectors } = exchange;
  const isWhole = order.length === parts.length && new Set(order).size === order.length;
  if (!isWhole || !order.every((part) => part >= 0 && part < parts.length)) {
    throw new MismatchError(
      `Cannot exchange the parts of "${name}" as the order must name each of ${parts.length} parts once: it is ${order.join(", ")}`,
      { parameters: [name] },
    );
  }
  const before = new Map(tensors);
  parts.forEach((weights, part) => {
    weights.forEach((weight, k) => {
      const source = at(at(parts, at(order, part, "part"), "part"), k, "weight");
      tensors.set(weight, tensorOf(before, source));
    });
  });
  for (const selector of selectors) {
    tensors.set(selector.weight, reordered(tensorOf(before, selector.weight), selector, order));
  }
}

function tensorOf(tensors: ReadonlyMap<string, Tensor>, name: string): Tensor {
  const tensor = tensors.get(name);
  if (tensor !== undefined) return tensor;
  throw new MismatchError(
    `Cannot exchange parts of a network as it must have the weight "${name}": there is none`,
    {
      parameters: [name],
    },
  );
}

/** Takes the indices of parts along an axis in another order. */
function reordered(tensor: Tensor, { shape, axis, indices }: Selector, order: Int32Array): Tensor {
  const extent = at(shape, axis, "axis");
  const inner = sizeOf(shape.slice(axis + 1));
  const from = Int32Array.from({ length: extent }, (_, index) => index);
  order.forEach((source, part) => {
    from[at(indices, part, "part")] = at(indices, source, "part");
  });
  const data = tensor.data.slice();
  if (data.length % (extent * inner) !== 0) {
    throw new InvariantError(
      `A selector of ${shape.join("x")} has ${data.length} elements; please report this`,
    );
  }
  for (let block = 0; block < data.length; block += extent * inner) {
    for (const [index, source] of from.entries()) {
      const begin = block + source * inner;
      data.set(tensor.data.subarray(begin, begin + inner) as never, block + index * inner);
    }
  }
  return { ...tensor, data };
}
