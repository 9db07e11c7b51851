import { at, type Checkpoint, DTYPES, entry, InputError, type Tensor, toFloat64 } from "@isthmus/core";
import { type MergePlan, mergeByPlan } from "@isthmus/merging";
import { type AffineTensor, electsSigns } from "./affine-methods.ts";

/** Parts that a tensor is made of: one that no weight changes, and the change that each weight adds. */
export interface Direction {
  /** Part that no weight changes, such as the base. */
  readonly origin: Float32Array;
  /** Change of the tensor for a weight of 1 of each network, in the order of the recipe. */
  readonly changes: readonly Float32Array[];
}

/**
 * Reads the parts that the floating-point tensors of a merge are made of, by making the merge with a weight
 * of 1 for one network at a time. Changes are differences in f64, rounded to f32 once.
 *
 * @param models - number of networks that have a weight
 * @returns the parts by the names of tensors; they take the memory of all networks and the base in f32
 * @throws InputError if a number of a network is not finite
 */
export async function openDirections(
  plan: MergePlan,
  tensors: ReadonlyMap<string, AffineTensor>,
  models: number,
): Promise<ReadonlyMap<string, Direction>> {
  const floats = [...tensors].filter(([, { info }]) => DTYPES[info.dtype].float);
  const mergeAt = (weightsOf: (anchor: number) => readonly number[]): Checkpoint =>
    mergeByPlan({
      ...plan,
      tensors: new Map(
        floats.map(([name, planned]) => {
          const weight = weightsOf(electsSigns(planned) ? 1 : 0) as never;
          const normalize = "normalize" in planned.parameters ? { normalize: false } : {};
          const parameters = { ...planned.parameters, ...normalize, weight };
          return [name, { ...planned, info: { ...planned.info, dtype: "f64" }, parameters }];
        }),
      ),
    });
  const ones = Array.from({ length: models }, (_, k) => k);
  const anchored = mergeAt((anchor) => ones.map(() => anchor));
  const moved = ones.map((k) => mergeAt((anchor) => ones.map((i) => anchor + (i === k ? 1 : 0))));
  const directions = new Map<string, Direction>();
  for (const [name, planned] of floats) {
    const values = await readFinite(anchored, name);
    const changes: Float64Array[] = [];
    for (const network of moved) {
      const changed = await readFinite(network, name);
      changes.push(changed.map((value, i) => value - (values[i] as number)));
    }
    // Methods that elect signs are merged by weights of 1, from which the changes are taken again.
    const passed = electsSigns(planned) ? changes : [];
    const origin = Float32Array.from(values, (value, i) =>
      passed.reduce((rest, change) => rest - (change[i] as number), value),
    );
    directions.set(name, { origin, changes: changes.map((change) => Float32Array.from(change)) });
  }
  return directions;
}

async function readFinite(network: Checkpoint, name: string): Promise<Float64Array> {
  const { data, dtype } = await network.read(name);
  const values = toFloat64(data, dtype);
  if (values.every(Number.isFinite)) return values;
  const place = values.findIndex((value) => !Number.isFinite(value));
  throw new InputError(
    `Cannot learn weights as all numbers of the networks must be finite: element ${place} of "${name}" is ${at(values, place)} in ${network.source}`,
    { input: network.source },
  );
}

/** The merged network in memory, whose floating-point tensors follow the weights. */
export interface MergedNetwork {
  /** Tensors of the merge by name; the merged ones are f32, and overwritten by every `place`. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Writes the tensors that belong to factors `[groups * models]`. */
  place(factors: Float64Array): void;
  /** Adds the derivatives by the factors to `out`, for a gradient by one tensor. */
  pullBackInto(name: string, gradient: Float32Array, out: Float64Array): void;
}

/**
 * Makes the merged network whose tensors are `origin + sum of factors * changes`, each rounded to f32 once.
 * @param others - checkpoint of all tensors of the merge, from which the ones that weights do not change are
 *   read
 */
export async function createMergedNetwork(
  others: Checkpoint,
  directions: ReadonlyMap<string, Direction>,
  groups: readonly { readonly tensors: readonly string[] }[],
): Promise<MergedNetwork> {
  const tensors = new Map<string, Tensor>();
  for (const [name, { shape }] of others.tensors) {
    const size = directions.get(name)?.origin.length;
    tensors.set(
      name,
      size === undefined ? await others.read(name) : { dtype: "f32", shape, data: new Float32Array(size) },
    );
  }
  const groupOf = new Map(groups.flatMap(({ tensors: names }, g) => names.map((name) => [name, g] as const)));
  return {
    tensors,
    place(factors) {
      const models = factors.length / groups.length;
      for (const [name, { origin, changes }] of directions) {
        const out = entry(tensors, name, "tensor").data;
        const begin = entry(groupOf, name, "group") * models;
        const row = factors.subarray(begin, begin + models);
        addInto(origin, changes, row, out as Float32Array);
      }
    },
    pullBackInto(name, gradient, out) {
      const { changes } = entry(directions, name, "tensor");
      const begin = entry(groupOf, name, "group") * changes.length;
      for (const [k, change] of changes.entries())
        out[begin + k] = at(out, begin + k) + innerProduct(gradient, change);
    },
  };
}

function addInto(
  origin: Float32Array,
  changes: readonly Float32Array[],
  factors: Float64Array,
  out: Float32Array,
): void {
  const sums = Float64Array.from(origin);
  for (const [k, change] of changes.entries()) {
    const factor = at(factors, k);
    for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] as number) + factor * (change[i] as number);
  }
  out.set(sums);
}

function innerProduct(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}
