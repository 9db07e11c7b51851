import {
  type Checkpoint,
  createCheckpoint,
  createRandom,
  createTensor,
  DTYPES,
  type DType,
  entry,
  fromFloat32Into,
  type Tensor,
} from "@isthmus/core";

/** Sizes of a small language model with tokens, hidden units and a head. */
const SHAPES = {
  "model.embed_tokens.weight": [96, 24],
  "layers.0.up.weight": [64, 24],
  "layers.0.up.bias": [64],
  "layers.0.down.weight": [24, 64],
  "layers.1.up.weight": [64, 24],
  "layers.1.up.bias": [64],
  "layers.1.down.weight": [24, 64],
  "norm.weight": [24],
  "lm_head.weight": [96, 24],
} as const satisfies Record<string, readonly number[]>;

/** Tensors of a network, by name; a test changes some and makes a checkpoint of the result. */
export type Tensors = Record<string, Tensor>;

/** Makes the tensors of a network that was trained from a seed. */
export function plantNetwork(seed: number): Tensors {
  return Object.fromEntries(
    Object.entries(SHAPES).map(([name, shape]) => {
      const random = createRandom(seed, name);
      const size = shape.reduce<number>((product, extent) => product * extent, 1);
      const isNorm = name.startsWith("norm");
      const data = Float32Array.from({ length: size }, () => (isNorm ? 1 : 0) + 0.1 * random.normal());
      return [name, createTensor("f32", [...shape], data)];
    }),
  );
}

/** Adds noise to every number, as fine-tuning does. @param size - its size in units of that of weights */
export function fineTune(tensors: Tensors, seed: number, size = 0.2): Tensors {
  return mapTensors(tensors, (data, name) => {
    const random = createRandom(seed, `fine-tune ${name}`);
    return data.map((x) => x + 0.1 * size * random.normal());
  });
}

/** Changes the numbers of all tensors. */
export function mapTensors(
  tensors: Tensors,
  change: (data: Float32Array, name: string) => Float32Array,
): Tensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, data }]) => [
      name,
      createTensor("f32", shape, change(data as Float32Array, name)),
    ]),
  );
}

/** Stores tensors in another type. */
export function storeAs(tensors: Tensors, dtype: DType): Tensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, data }]) => {
      const out = new DTYPES[dtype].array(data.length);
      fromFloat32Into(data as Float32Array, dtype, out);
      return [name, createTensor(dtype, shape, out)];
    }),
  );
}

/** Puts hidden units, and the axis of the residual stream, in another order: the network computes the same. */
export function permuteUnits(tensors: Tensors, seed: number): Tensors {
  const random = createRandom(seed, "units");
  const order = (size: number) => random.shuffleInPlace(Array.from({ length: size }, (_, i) => i));
  const [stream, first, second] = [order(24), order(64), order(64)];
  const moves: Record<string, readonly (readonly number[] | undefined)[]> = {
    "model.embed_tokens.weight": [undefined, stream],
    "layers.0.up.weight": [first, stream],
    "layers.0.up.bias": [first],
    "layers.0.down.weight": [stream, first],
    "layers.1.up.weight": [second, stream],
    "layers.1.up.bias": [second],
    "layers.1.down.weight": [stream, second],
    "norm.weight": [stream],
    "lm_head.weight": [undefined, stream],
  };
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [name, permuteAxes(tensor, moves[name] ?? [])]),
  );
}

/** Puts rows, and columns, of a matrix in another order. */
export function permuteAxes(
  { dtype, shape, data }: Tensor,
  [rows, columns]: readonly (readonly number[] | undefined)[],
): Tensor {
  const [height = 1, width = 1] = shape;
  const out = data.slice();
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      out[i * width + j] = data[(rows?.[i] ?? i) * width + (columns?.[j] ?? j)] as never;
    }
  }
  return createTensor(dtype, shape, out);
}

/** Makes a checkpoint of tensors. */
export function checkpointOf(tensors: Tensors, source: string): Checkpoint {
  return createCheckpoint(new Map(Object.entries(tensors)), {}, source);
}

/** Returns a tensor that must be there. */
export function tensorOf(tensors: Tensors, name: string): Tensor {
  return entry(new Map(Object.entries(tensors)), name, "tensor");
}

/** Counts the elements that are read of a checkpoint. */
export function countReads(checkpoint: Checkpoint): {
  readonly network: Checkpoint;
  readonly read: () => number;
} {
  let elements = 0;
  const network: Checkpoint = {
    ...checkpoint,
    readRange: (name, begin, end) => {
      elements += end - begin;
      return checkpoint.readRange(name, begin, end);
    },
    readRangeInto: (name, begin, out) => {
      elements += out.length;
      return checkpoint.readRangeInto(name, begin, out);
    },
  };
  return { network, read: () => elements };
}
