import {
  type Checkpoint,
  DTYPES,
  defineCheckpoint,
  type Elements,
  entry,
  formatShape,
  fromFloat32Into,
  fromFloat64Into,
  InvariantError,
  MismatchError,
  sizeOf,
  type TensorInfo,
  toFloat32,
  toFloat64,
  UnsupportedError,
} from "@isthmus/core";
import { type Matrix, multiply } from "@isthmus/linear-algebra";
import { addScaled, subtract } from "../matrices/kernels/task-vectors.ts";
import type { Adapter, AdapterModule } from "./adapter.ts";
import { addBias, type ChangedRows, scaleRowsTo } from "./change-rows.ts";
import { findWeight } from "./find-weight.ts";
import { type Factors, moduleExtents, readStoredFactors } from "./read-factors.ts";

/** Options of {@link applyAdapter}. */
export interface ApplyAdapterOptions {
  /** Share of the adapter that is applied: 1 for the change as trained, 0 for none. @defaultValue 1 */
  readonly weight?: number;
}

/** Change of one tensor of the network. */
interface Change {
  /** Module whose product of matrices is added. */
  readonly module?: AdapterModule;
  /** Module whose change of a bias is added. */
  readonly biasOf?: AdapterModule;
  /** Name of the adapter's tensor that replaces the tensor. */
  readonly replacement?: string;
}

/**
 * Applies a LoRA adapter to a network, lazily: a changed weight is computed when it is read, range by range,
 * as `W + weight * scale * B * A`, in f32 (f64 for f64) and rounded once. Memory does not grow with the
 * network.
 *
 * Tensors that the adapter contains whole (`modules_to_save`, trained biases) replace tensors of the network.
 * Differs from PEFT, which rounds the change to the adapter's element type before it is added.
 * @throws MismatchError if the network lacks a weight that the adapter changes, or shapes do not fit
 * @throws UnsupportedError if a weight that the adapter changes holds integers, or learned lengths (DoRA) are
 *   of a transposed weight
 *
 * Source: Hu et al., LoRA, 2022, equation 3; Kalajdzievski, rank-stabilized LoRA, 2023; Liu et al., DoRA,
 * 2024, equation 5.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createCheckpoint, createTensor } from "@isthmus/core";
 * import { applyAdapter, extractAdapter } from "@isthmus/merging";
 *
 * const network = (...w: number[]) =>
 *   createCheckpoint({ "q.weight": createTensor("f32", [2, 2], Float32Array.from(w)) });
 * const base = network(1, 0, 0, 1);
 * const { adapter } = extractAdapter(network(1, 2, 0, 1), base, { rank: 1 });
 * const half = applyAdapter(base, adapter, { weight: 0.5 }); // nothing is read yet
 * const { data } = await half.read("q.weight");
 * assert.deepEqual([...data].map((x) => Math.round(Number(x) * 1e5) / 1e5), [1, 1, 0, 1]);
 * ```
 */
export function applyAdapter(
  base: Checkpoint,
  adapter: Adapter,
  { weight = 1 }: ApplyAdapterOptions = {},
): Checkpoint {
  const changes = listChanges(base, adapter);
  const tensors = new Map(
    [...base.tensors].map(([name, info]): [string, TensorInfo] => {
      const key = changes.get(name)?.replacement;
      const shape = key === undefined ? info.shape : entry(adapter.checkpoint.tensors, key, "tensor").shape;
      return [name, { dtype: info.dtype, shape }];
    }),
  );
  const factors = createFactors(adapter);
  return defineCheckpoint({
    source: `${base.source} with ${adapter.source}`,
    tensors,
    metadata: base.metadata,
    inputs: [base, adapter.checkpoint],
    async readInto(name, begin, data) {
      const change = changes.get(name);
      if (change === undefined) return base.readRangeInto(name, begin, data);
      const { dtype, shape } = entry(tensors, name, "tensor");
      const columns = columnsOf(shape);
      // Whole rows, as lengths of rows are needed for magnitudes.
      const top = Math.floor(begin / columns);
      const bottom = Math.ceil((begin + data.length) / columns);
      const rows = { name, top, bottom, columns, weight };
      const result = await readUnder(base, adapter, change, rows);
      if (change.module !== undefined) {
        await addProduct(result, change.module, { adapter, rows, of: await factors(change.module, dtype) });
      }
      if (change.biasOf !== undefined) await addBias(result, change.biasOf, adapter, rows);
      round(result.subarray(begin - top * columns, begin - top * columns + data.length), { dtype, data });
    },
  });
}

function columnsOf(shape: readonly number[]): number {
  return sizeOf(shape.slice(1));
}

function listChanges(base: Checkpoint, adapter: Adapter): ReadonlyMap<string, Change> {
  const changes = new Map<string, Change>();
  const add = (target: string, change: Change) => {
    const name = findWeight(base, target, adapter.source);
    changes.set(name, { ...changes.get(name), ...change });
    return name;
  };
  for (const [target, replacement] of adapter.replaced) add(target, { replacement });
  for (const module of adapter.modules.values()) {
    const name = add(`${module.name}.weight`, { module });
    assertFits(base, adapter, module, { name, replacement: changes.get(name)?.replacement });
    if (module.bias !== undefined) add(`${module.name}.bias`, { biasOf: module });
  }
  return changes;
}

function assertFits(
  base: Checkpoint,
  adapter: Adapter,
  module: AdapterModule,
  { name, replacement }: { readonly name: string; readonly replacement: string | undefined },
): void {
  const { shape } =
    replacement === undefined
      ? entry(base.tensors, name, "tensor")
      : entry(adapter.checkpoint.tensors, replacement, "tensor");
  const { dtype } = entry(base.tensors, name, "tensor");
  if (!DTYPES[dtype].float) {
    throw new UnsupportedError(
      `Cannot apply adapter "${adapter.source}" to "${base.source}" as a weight that it changes must hold floating-point numbers: "${name}" is ${dtype}; convert the weights first`,
      { feature: "integer weights" },
    );
  }
  const extents = moduleExtents(adapter, module);
  const [rows, columns] = module.isTransposed ? [extents.in, extents.out] : [extents.out, extents.in];
  if (module.magnitude !== undefined && module.isTransposed) {
    throw new UnsupportedError(
      `Cannot apply adapter "${adapter.source}" as it has learned lengths (DoRA) of "${name}", whose weight is stored transposed: merge it into its model with PEFT`,
      { feature: "DoRA" },
    );
  }
  if (shape[0] === rows && columnsOf(shape) === columns) return;
  throw new MismatchError(
    `Cannot apply adapter "${adapter.source}" to "${base.source}" as its change of "${name}" is ${rows} x ${columns}: the weight is ${formatShape(shape)}`,
    { parameters: [name] },
  );
}

/** Reads the rows to which the change is added: of the network, or of the tensor that replaces them. */
async function readUnder(
  base: Checkpoint,
  adapter: Adapter,
  { replacement }: Change,
  { name, top, bottom, columns, weight }: ChangedRows,
): Promise<Matrix["data"]> {
  const { dtype } = entry(base.tensors, name, "tensor");
  const [from, to] = [top * columns, bottom * columns];
  if (replacement === undefined) return widen(await base.readRange(name, from, to), dtype, dtype);
  const stored = entry(adapter.checkpoint.tensors, replacement, "tensor");
  const result = widen(await adapter.checkpoint.readRange(replacement, from, to), stored.dtype, dtype);
  if (weight === 1) return result;
  const under = widen(await base.readRange(name, from, to), dtype, dtype);
  subtract(result, under);
  addScaled(under, result, weight);
  return under;
}

/** Copies elements as f64 if the network's tensor is f64, otherwise as f32. */
function widen(
  data: Elements["data"],
  dtype: Elements["dtype"],
  ofNetwork: Elements["dtype"],
): Matrix["data"] {
  return ofNetwork === "f64" ? Float64Array.from(toFloat64(data, dtype)) : toFloat32(data, dtype);
}

async function addProduct(
  result: Matrix["data"],
  module: AdapterModule,
  { adapter, rows, of }: { readonly adapter: Adapter; readonly rows: ChangedRows; readonly of: Factors },
): Promise<void> {
  const { top, bottom, weight } = rows;
  const part = {
    ...of.left,
    rows: bottom - top,
    data: of.left.data.slice(top * module.rank, bottom * module.rank),
  };
  addScaled(result, multiply(part, of.right).data, weight * module.scale);
  if (module.magnitude !== undefined) await scaleRowsTo(result, module.magnitude, adapter, rows);
}

/**
 * Number of modules whose factors are remembered, because ranges of several tensors may be read alternately.
 */
const REMEMBERED = 4;

/** Creates a function that reads the factors of modules, and remembers the factors of the last modules. */
function createFactors(adapter: Adapter) {
  const remembered = new Map<string, Promise<Factors>>();
  return (module: AdapterModule, dtype: TensorInfo["dtype"]): Promise<Factors> => {
    const earlier = remembered.get(module.name);
    if (earlier !== undefined) return earlier;
    const factors = readStoredFactors(adapter, module, dtype === "f64" ? "f64" : "f32");
    remembered.set(module.name, factors);
    const [oldest] = remembered.keys();
    if (remembered.size > REMEMBERED && oldest !== undefined) remembered.delete(oldest);
    return factors;
  };
}

function round(result: Matrix["data"], out: Elements): void {
  if (!DTYPES[out.dtype].float) throw new InvariantError(`a changed tensor is ${out.dtype}`);
  if (result instanceof Float64Array) fromFloat64Into(result, out.dtype, out.data);
  else fromFloat32Into(result, out.dtype, out.data);
}
