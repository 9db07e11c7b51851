import {
  at,
  type Checkpoint,
  createCheckpoint,
  createTensor,
  entry,
  type Tensor,
  toFloat64,
} from "@isthmus/core";
import { AGGREGATION_RULES, aggregateUpdates, type Treatment } from "@isthmus/federated";
import { createMatrix, type Matrix, multiply, svd } from "@isthmus/linear-algebra";

/** The factors of all adapted weights, by name. */
export type Adapter = ReadonlyMap<string, Tensor>;

/** What a server knows in a round. */
export interface RoundOfAdapters {
  /** Adapter of the round, at the rank of the server. */
  readonly global: Adapter;
  /** Adapters that clients sent, each at its own rank. */
  readonly sent: readonly Adapter[];
}

/** A way in which a server makes one adapter of those of its clients. */
export type Aggregate = (round: RoundOfAdapters) => Promise<Adapter>;

const rankOf = (adapter: Adapter): number => {
  const [name = ""] = [...adapter.keys()].filter((key) => key.endsWith("lora_A.weight"));
  return at(entry(adapter, name, "factor").shape, 0);
};

/**
 * Returns an adapter at another rank: the first rows and columns, or more of them, which are rows of `more` in
 * A and zeros in B.
 */
export function atRank(adapter: Adapter, rank: number, more?: Adapter): Map<string, Tensor> {
  const own = rankOf(adapter);
  return new Map(
    [...adapter].map(([name, { shape, data }]): [string, Tensor] => {
      const isA = name.endsWith("lora_A.weight");
      const extent = at(shape, isA ? 1 : 0);
      const out = new Float32Array(extent * rank);
      for (let k = 0; k < rank; k++) {
        for (let i = 0; i < extent; i++) {
          const place = isA ? k * extent + i : i * rank + k;
          if (k < own) out[place] = Number(at(data as Float32Array, isA ? place : i * own + k));
          else if (isA && more !== undefined)
            out[place] = Number(at(entry(more, name, "factor").data as Float32Array, place));
        }
      }
      return [name, createTensor("f32", isA ? [rank, extent] : [extent, rank], out)];
    }),
  );
}

const checkpointOf = (adapter: Adapter): Checkpoint => createCheckpoint(new Map(adapter));

async function tensorsOf(network: Checkpoint): Promise<Adapter> {
  const tensors = new Map<string, Tensor>();
  for (const name of network.tensors.keys()) tensors.set(name, await network.read(name));
  return tensors;
}

const updatesOf = (sent: readonly Adapter[]) =>
  sent.map((adapter, i) => ({ client: `client ${i}`, examples: 1, network: checkpointOf(adapter) }));

/** Aggregates products by a rule of the library. */
export const byProducts =
  (name = "fedavg", parameters: Readonly<Record<string, number>> = {}): Aggregate =>
  async ({ global, sent }) => {
    const rule = { of: entry(AGGREGATION_RULES, name, "rule"), parameters };
    const { network } = await aggregateUpdates(checkpointOf(global), updatesOf(sent), {
      rule,
      scaleOf: () => 1,
    });
    return tensorsOf(network);
  };

/** Keeps A, and averages B. */
export const keepingA: Aggregate = async ({ global, sent }) => {
  const treatments = new Map<string, Treatment>(
    [...global.keys()].map((name) => [name, name.endsWith("lora_A.weight") ? "keep" : "share"]),
  );
  const { network } = await aggregateUpdates(checkpointOf(global), updatesOf(sent), { treatments });
  return tensorsOf(network);
};

/** Averages the two factors by themselves, those of smaller ranks with zeros after them (FedIT, HetLoRA). */
export const byFactors: Aggregate = async ({ global, sent }) => {
  const padded = sent.map((adapter) => atRank(adapter, rankOf(global)));
  return new Map(
    [...global].map(([name, { shape, data }]): [string, Tensor] => {
      const mean = Float32Array.from({ length: data.length }, (_, i) =>
        padded.reduce(
          (sum, adapter) => sum + at(entry(adapter, name, "factor").data as Float32Array, i) / padded.length,
          0,
        ),
      );
      return [name, createTensor("f32", shape, mean)];
    }),
  );
};

/**
 * Averages the two factors by themselves, after those of each client are rotated to those of the network that
 * it began with: by the orthogonal `Q` for which `B Q` and `Q' A` are nearest to them (FedRot-LoRA).
 */
export const byRotatedFactors: Aggregate = ({ global, sent }) =>
  byFactors({ global, sent: sent.map((adapter) => rotateTo(global, adapter)) });

/** Turns the factors of an adapter, without a change of their products, to be nearest to other factors. */
export function rotateTo(target: Adapter, adapter: Adapter): Adapter {
  const rotated = new Map(adapter);
  for (const name of [...adapter.keys()].filter((key) => key.endsWith("lora_A.weight"))) {
    const other = name.replace("lora_A", "lora_B");
    const [a, b] = [matrixOf(entry(adapter, name, "factor")), matrixOf(entry(adapter, other, "factor"))];
    const [ofA, ofB] = [matrixOf(entry(target, name, "factor")), matrixOf(entry(target, other, "factor"))];
    const overlap = multiply(b, ofB, { transposeLeft: true });
    const more = multiply(a, ofA, { transposeRight: true });
    for (let i = 0; i < overlap.data.length; i++) overlap.data[i] = at(overlap.data, i) + at(more.data, i);
    const { left, right } = svd(overlap);
    const turn = multiply(left, right, { transposeRight: true });
    const tensorOf = ({ rows, columns, data }: Matrix) =>
      createTensor("f32", [rows, columns], Float32Array.from(data));
    rotated.set(name, tensorOf(multiply(turn, a, { transposeLeft: true })));
    rotated.set(other, tensorOf(multiply(b, turn)));
  }
  return rotated;
}

/** Truncates the mean of what clients sent, not of what they changed (FlexLoRA). */
export const byWholeProducts: Aggregate = ({ global, sent }) => {
  const empty = new Map(
    [...global].map(([name, tensor]): [string, Tensor] => {
      if (name.endsWith("lora_A.weight")) return [name, tensor];
      return [name, createTensor("f32", tensor.shape, new Float32Array(tensor.data.length))];
    }),
  );
  return byProducts()({ global: empty, sent });
};

/** Gives columns of B and rows of A equal lengths after an aggregation. */
export const balanced =
  (aggregate: Aggregate): Aggregate =>
  async (round) => {
    const made = new Map(await aggregate(round));
    for (const name of [...made.keys()].filter((key) => key.endsWith("lora_A.weight"))) {
      const other = name.replace("lora_A", "lora_B");
      const [a, b] = [entry(made, name, "factor"), entry(made, other, "factor")];
      const [rank, columns] = [at(a.shape, 0), at(a.shape, 1)];
      const [rows, right, left] = [
        at(b.shape, 0),
        Float32Array.from(a.data as Float32Array),
        Float32Array.from(b.data as Float32Array),
      ];
      for (let k = 0; k < rank; k++) {
        const ofA = Math.hypot(...right.subarray(k * columns, (k + 1) * columns));
        const ofB = Math.hypot(...Array.from({ length: rows }, (_, i) => at(left, i * rank + k)));
        if (ofA * ofB === 0) continue;
        const factor = Math.sqrt(ofB / ofA);
        for (let i = 0; i < columns; i++) right[k * columns + i] = at(right, k * columns + i) * factor;
        for (let i = 0; i < rows; i++) left[i * rank + k] = at(left, i * rank + k) / factor;
      }
      made.set(name, createTensor("f32", a.shape, right));
      made.set(other, createTensor("f32", b.shape, left));
    }
    return made;
  };

const matrixOf = ({ shape, data, dtype }: Tensor): Matrix =>
  createMatrix(at(shape, 0), at(shape, 1), toFloat64(data, dtype));

/** Computes the products in full, which only a measurement needs. */
export const productsOf = (adapter: Adapter): ReadonlyMap<string, Matrix> =>
  new Map(
    [...adapter.keys()]
      .filter((name) => name.endsWith("lora_A.weight"))
      .map((name) => [
        name,
        multiply(
          matrixOf(entry(adapter, name.replace("lora_A", "lora_B"), "factor")),
          matrixOf(entry(adapter, name, "factor")),
        ),
      ]),
  );

/**
 * Measures how far an aggregate is from the exact mean of the changes of the products, as a share of the norm
 * of that mean.
 * @param began - adapters that the clients began with
 */
export function aggregationError(
  { global, sent }: RoundOfAdapters,
  began: readonly Adapter[],
  made: Adapter,
): number {
  const [before, after] = [productsOf(global), productsOf(made)];
  const [ends, starts] = [sent.map(productsOf), began.map(productsOf)];
  let [wrong, whole] = [0, 0];
  for (const [name, { data }] of after) {
    const start = entry(before, name, "product").data;
    for (let i = 0; i < data.length; i++) {
      let mean = 0;
      for (const [k, end] of ends.entries()) {
        mean += at(entry(end, name, "product").data, i) - at(entry(at(starts, k), name, "product").data, i);
      }
      mean /= ends.length;
      wrong += (at(data, i) - at(start, i) - mean) ** 2;
      whole += mean ** 2;
    }
  }
  return Math.sqrt(wrong / whole);
}
