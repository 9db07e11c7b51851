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
import { applyInLayout } from "./apply-in-layout.ts";
import { assertHasHead } from "./assert-has-head.ts";
import { addBias, scaleRowsTo } from "./change-rows.ts";
import type { ChangedRows, ChangeRows, FactorType } from "./factors.ts";
import { findTransposed } from "./find-transposed.ts";
import { indexWeights } from "./find-weight.ts";
import { rowsOf } from "./kinds/factor-pair.ts";
import { type MultipliedWeight, type MultiplyRows, multiplyIn } from "./kinds/multiplied-weight.ts";
import { placeModule, placeMultiplied, storedExtents } from "./place-change.ts";
import { readStoredFactors } from "./read-factors.ts";
import type { TiedHead } from "./tied-head.ts";

/** Options of {@link applyAdapter}. */
export interface ApplyAdapterOptions {
  /** Share of the adapter that is applied: 1 for the change as trained, 0 for none. @defaultValue 1 */
  readonly weight?: number;
  /**
   * Embedding and head that are one matrix though the network holds both: low-rank changes and trained rows
   * of one change the other. @defaultValue none
   */
  readonly tiedHead?: TiedHead | undefined;
}

/** Change of one tensor of the network. */
interface Change {
  /** Module whose product of matrices is added. */
  readonly module?: AdapterModule;
  /** Module whose change of a bias is added. */
  readonly biasOf?: AdapterModule;
  /** Module by which the weight is multiplied. */
  readonly multipliedBy?: MultipliedWeight;
  /** Reads the factors by which the weight or bias is multiplied. */
  readonly multiply?: (type: FactorType) => Promise<MultiplyRows>;
  /** Name of the adapter's tensor that replaces the tensor. */
  readonly replacement?: string;
}

/**
 * Applies an adapter to a network, lazily: a changed weight is computed when it is read, range by range, as
 * `W + weight * scale * B * A`, in f32 (f64 for f64) and rounded once. A weight that OFT or IA3 multiplies
 * becomes `W + weight * (multiplied W - W)`. Memory does not grow with the network.
 *
 * In a single file of Stable Diffusion 1, XL or 3 or of Flux under its original names, each part of the
 * adapter changes its network, under the names of whatever program.
 *
 * Tensors that the adapter contains whole (`modules_to_save`, trained biases) replace tensors of the network.
 * Differs from PEFT, which rounds the change to the adapter's element type before it is added.
 * @throws MismatchError if the network lacks a weight that the adapter changes, shapes do not fit, or two
 *   modules of the adapter change one weight
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
  { weight = 1, tiedHead }: ApplyAdapterOptions = {},
): Checkpoint {
  const inLayout = applyInLayout(base, adapter, (network, part) =>
    applyToNetwork(network, part, listChanges(network, part), weight),
  );
  if (inLayout !== undefined) return inLayout;
  return applyToNetwork(base, adapter, followTies(listChanges(base, adapter), tiedHead), weight);
}

/**
 * Lets a head follow the change of the embedding to which it is tied, and the reverse. A matrix that the
 * adapter holds whole (`modules_to_save`) unties them, as in PEFT.
 */
function followTies(
  changes: ReadonlyMap<string, Change>,
  tied: TiedHead | undefined,
): ReadonlyMap<string, Change> {
  if (tied === undefined) return changes;
  const [ofEmbedding, ofHead] = [changes.get(tied.embedding), changes.get(tied.head)];
  const change = ofEmbedding ?? ofHead;
  if (change === undefined || (ofEmbedding && ofHead) || change.replacement !== undefined) return changes;
  return new Map([...changes, [ofEmbedding === undefined ? tied.embedding : tied.head, change]]);
}

function applyToNetwork(
  base: Checkpoint,
  adapter: Adapter,
  changes: ReadonlyMap<string, Change>,
  weight: number,
): Checkpoint {
  const tensors = new Map(
    [...base.tensors].map(([name, info]): [string, TensorInfo] => {
      const key = changes.get(name)?.replacement;
      const shape = key === undefined ? info.shape : entry(adapter.checkpoint.tensors, key, "tensor").shape;
      return [name, { dtype: info.dtype, shape }];
    }),
  );
  const rowsOfModule = createRows(adapter);
  const remember = remembering<Promise<MultiplyRows>>();
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
      // Whole rows, as lengths of rows are needed for magnitudes, and all that are rotated into each other.
      const { rowBlock = 1 } = change.multipliedBy ?? {};
      const top = Math.floor(begin / columns / rowBlock) * rowBlock;
      const bottom = Math.ceil((begin + data.length) / columns / rowBlock) * rowBlock;
      const rows = { name, top, bottom, columns, weight };
      const result = await readUnder(base, adapter, change, rows);
      if (change.module !== undefined) {
        const of = await rowsOfModule(change.module, dtype);
        await addProduct(result, change.module, { adapter, rows, of });
      }
      if (change.multiply !== undefined) {
        const { multiply: read } = change;
        multiplyIn(result, await remember(name, () => read(dtype === "f64" ? "f64" : "f32")), rows);
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
  const findWeight = indexWeights(base, adapter.source);
  const add = (target: string, change: Change) => {
    const name = findWeight(target);
    const earlier = changes.get(name);
    if (earlier !== undefined) assertOnce(earlier, change, { name, adapter, base });
    changes.set(name, { ...earlier, ...change });
    return name;
  };
  for (const [target, replacement] of adapter.replaced) {
    assertHasHead(base, adapter, target);
    add(target, { replacement });
  }
  const isTransposed = findTransposed(base);
  for (const stated of adapter.modules.values()) {
    const target = findWeight(`${stated.name}.weight`);
    const replacement = changes.get(target)?.replacement;
    const { shape } =
      replacement === undefined
        ? entry(base.tensors, target, "tensor")
        : entry(adapter.checkpoint.tensors, replacement, "tensor");
    const module = placeModule(adapter, stated, { shape, isKnown: isTransposed(target) });
    const name = add(`${module.name}.weight`, { module });
    assertFits(base, adapter, module, { name, shape });
    if (module.bias !== undefined) add(`${module.name}.bias`, { biasOf: module });
  }
  for (const stated of adapter.multiplied.values()) {
    const target = findWeight(`${stated.name}.weight`);
    const module = placeMultiplied(stated, {
      ...entry(base.tensors, target, "tensor"),
      isKnown: isTransposed(target),
    });
    const name = add(`${module.name}.weight`, { multipliedBy: module, multiply: module.readRows });
    assertMultiplied(base, adapter, module, name);
    const bias = name.replace(/weight$/, "bias");
    const { readBias } = module;
    if (readBias !== undefined && base.tensors.has(bias)) add(bias, { multiply: readBias });
  }
  return changes;
}

/** Checks that no two modules of an adapter change one weight, as modules of two text encoders would. */
function assertOnce(
  earlier: Change,
  change: Change,
  { name, adapter, base }: { readonly name: string; readonly adapter: Adapter; readonly base: Checkpoint },
): void {
  const [first, second] = [earlier, change].map(
    ({ module, multipliedBy, biasOf }) => (module ?? multipliedBy ?? biasOf)?.name,
  );
  if (first === undefined || second === undefined || first === second) return;
  throw new MismatchError(
    `Cannot apply adapter "${adapter.source}" to "${base.source}" as each weight must be changed once: both "${first}" and "${second}" change "${name}"; name the part of one network before the adapter, such as model+text_encoder:adapter`,
    { parameters: [name] },
  );
}

function assertMultiplied(
  base: Checkpoint,
  { source }: Adapter,
  module: MultipliedWeight,
  name: string,
): void {
  const { shape, dtype } = entry(base.tensors, name, "tensor");
  if (!DTYPES[dtype].float) throw integerError(source, base, name);
  if (module.fits(shape)) return;
  throw new MismatchError(
    `Cannot apply adapter "${source}" to "${base.source}" as its ${module.kind} of "${name}" is for a weight ${module.expected}: the weight is ${formatShape(shape)}`,
    { parameters: [name] },
  );
}

function integerError(adapter: string, base: Checkpoint, name: string): UnsupportedError {
  const { dtype } = entry(base.tensors, name, "tensor");
  return new UnsupportedError(
    `Cannot apply adapter "${adapter}" to "${base.source}" as a weight that it changes must hold floating-point numbers: "${name}" is ${dtype}; convert the weights first`,
    { feature: "integer weights" },
  );
}

function assertFits(
  base: Checkpoint,
  adapter: Adapter,
  module: AdapterModule,
  { name, shape }: { readonly name: string; readonly shape: readonly number[] },
): void {
  const { dtype } = entry(base.tensors, name, "tensor");
  if (!DTYPES[dtype].float) throw integerError(adapter.source, base, name);
  const [rows, columns] = storedExtents(adapter, module);
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
  { adapter, rows, of }: { readonly adapter: Adapter; readonly rows: ChangedRows; readonly of: ChangeRows },
): Promise<void> {
  const { top, bottom, weight } = rows;
  addScaled(result, of(top, bottom), weight * module.scale);
  if (module.magnitude !== undefined) await scaleRowsTo(result, module.magnitude, adapter, rows);
}

/**
 * Number of modules whose factors are remembered, because ranges of several tensors may be read alternately.
 */
const REMEMBERED = 4;

/** Creates a function that remembers what it made of the last keys. */
function remembering<V>(): (key: string, make: () => V) => V {
  const remembered = new Map<string, V>();
  return (key, make) => {
    const earlier = remembered.get(key);
    if (earlier !== undefined) return earlier;
    const made = make();
    remembered.set(key, made);
    const [oldest] = remembered.keys();
    if (remembered.size > REMEMBERED && oldest !== undefined) remembered.delete(oldest);
    return made;
  };
}

/** Creates a function that reads the factors of modules, to compute rows of their products. */
function createRows(adapter: Adapter) {
  const remember = remembering<Promise<ChangeRows>>();
  return (module: AdapterModule, dtype: TensorInfo["dtype"]): Promise<ChangeRows> =>
    remember(module.name, () => readRows(adapter, module, dtype === "f64" ? "f64" : "f32"));
}

async function readRows(adapter: Adapter, module: AdapterModule, type: FactorType): Promise<ChangeRows> {
  if (module.readRows !== undefined && !module.isTransposed) return module.readRows(type);
  const { left, right } = await readStoredFactors(adapter, module, type);
  return (top, bottom) => multiply(rowsOf(left, top, bottom), right).data;
}

function round(result: Matrix["data"], out: Elements): void {
  if (!DTYPES[out.dtype].float) throw new InvariantError(`a changed tensor is ${out.dtype}`);
  if (result instanceof Float64Array) fromFloat64Into(result, out.dtype, out.data);
  else fromFloat32Into(result, out.dtype, out.data);
}
