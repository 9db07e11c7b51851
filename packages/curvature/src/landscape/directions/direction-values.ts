import {
  allocateData,
  type Checkpoint,
  createCheckpoint,
  DTYPES,
  entry,
  fromFloat64Into,
  sizeOf,
  type Tensor,
  toFloat64,
} from "@isthmus/core";

/** A direction, or weights, by the names of tensors. */
export type DirectionValues = Map<string, Float64Array>;

/** Direction with its label and properties. */
export interface Direction {
  /** Name of the direction on its axis and in tables. */
  readonly label: string;
  /** Tensors that the direction moves; other tensors do not change. */
  readonly values: DirectionValues;
  /** Eigenvalue of the Hessian that belongs to the direction; absent except for eigenvectors. */
  readonly eigenvalue?: number;
  /** Largest distance of `eigenvalue` from an exact eigenvalue; absent except for eigenvectors. */
  readonly residual?: number;
  /** Share of the variance of a trajectory along the direction, in `[0, 1]`; absent for other directions. */
  readonly explained?: number;
}

/** Reads tensors of a network in f64. */
export async function readWeights(network: Checkpoint, names: readonly string[]): Promise<DirectionValues> {
  const values: DirectionValues = new Map();
  for (const name of names) {
    const { data, dtype } = await network.read(name);
    values.set(name, toFloat64(data, dtype));
  }
  return values;
}

/** Adds a multiple of some tensors of a network to a direction in place. */
export async function addWeightsInPlace(
  target: DirectionValues,
  factor: number,
  network: Checkpoint,
): Promise<void> {
  for (const [name, sum] of target) {
    const { data, dtype } = await network.read(name);
    const values = toFloat64(data, dtype);
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + factor * (values[i] as number);
  }
}

/** Makes a direction of zeros for some tensors of a network. */
export function zerosFor({ tensors }: Checkpoint, names: readonly string[]): DirectionValues {
  return new Map(names.map((name) => [name, new Float64Array(sizeOf(entry(tensors, name, "tensor").shape))]));
}

/**
 * Stores a direction as a checkpoint of a network's structure, in f32, or in f64 where the network is;
 * tensors that the direction does not move are zero.
 */
export function directionCheckpoint({ label, values }: Direction, { tensors }: Checkpoint): Checkpoint {
  const stored = new Map(
    [...tensors].map(([name, { dtype, shape }]): [string, Tensor] => {
      const type = DTYPES[dtype].float && dtype !== "f64" ? "f32" : dtype;
      const data = allocateData(type, sizeOf(shape));
      const moved = values.get(name);
      if (moved !== undefined) fromFloat64Into(moved, type, data);
      return [name, { dtype: type, shape, data }];
    }),
  );
  return createCheckpoint(stored, {}, label);
}
