import {
  at,
  byteLengthOf,
  type Checkpoint,
  convertInto,
  DTYPES,
  type DType,
  entry,
  sizeOf,
} from "@isthmus/core";
import type { MatrixProducts } from "@isthmus/linear-algebra";
import type { MergeMethod } from "../../merge-method.ts";
import type { MergePlan, PlannedTensor } from "../../merge-plan.ts";
import type { Adapter } from "../adapter.ts";
import { type BuiltModule, buildAdapter, PREFIX } from "../build-adapter.ts";
import { moduleOf } from "../module-of.ts";
import { computeFactors, factorBytes } from "./compute-factors.ts";
import { placeWhole, type WholePlaces } from "./place-whole.ts";
import type { Pair } from "./read-difference.ts";
import type { ExtractedTensor } from "./tensor-roles.ts";

/** A tensor that is stored as factors, with its rank. */
export interface FactoredTensor extends ExtractedTensor {
  /** Rank of its factors, at least 1. */
  readonly rank: number;
}

/** Inputs from which an adapter is planned once ranks are known. */
export interface PlanExtractionOptions {
  /** All tensors of the fine-tune that are not excluded. */
  readonly tensors: readonly ExtractedTensor[];
  /** Tensors that are stored as factors. */
  readonly factored: readonly FactoredTensor[];
  /** Names of tensors that changed and are stored whole. */
  readonly whole: readonly string[];
  /** Element type of all floating-point tensors; undefined for the types of the fine-tune. */
  readonly dtype: DType | undefined;
  /** Multiplier of matrices. */
  readonly products: MatrixProducts;
  /** Largest shorter side for which singular values are exact, see `leadingSvd`. */
  readonly exactUpTo: number;
  /** Called with the singular values of each weight once they are known. */
  readonly onValues?: ((name: string, values: readonly number[]) => Promise<void>) | undefined;
  /** Settings of PEFT that are passed on: the name of the base, and the task. */
  readonly passedOn: Readonly<Record<string, unknown>>;
}

/** An adapter that is computed when it is read, and the plan by which it is saved. */
export interface ExtractionPlan {
  /** Adapter with its settings. */
  readonly adapter: Adapter;
  /** Plan of its weights: factors are computed, other tensors are copied from the fine-tune. */
  readonly plan: MergePlan;
  /** How tensors are stored whole. */
  readonly places: WholePlaces;
}

/** Returns the element type of the factors of a weight: its own, but no type of 8 bits. */
export function factorType(dtype: DType, chosen: DType | undefined): DType {
  if (chosen !== undefined) return chosen;
  return DTYPES[dtype].bytes < 2 ? "bf16" : dtype;
}

/** Plans the adapter of a fine-tune whose ranks are chosen. Nothing is computed before it is read. */
export function planExtraction(pair: Pair, options: PlanExtractionOptions): ExtractionPlan {
  const { tuned, base } = pair;
  const { tensors, factored, whole, dtype, passedOn } = options;
  const places = placeWhole(tuned, tensors, {
    changed: whole,
    factored: new Set(factored.map(({ name }) => name)),
  });
  const replaced = new Map(
    [...places.names].map(([name, key]) => [key, { checkpoint: tuned, name }] as const),
  );
  const adapter = buildAdapter({
    source: `adapter of ${tuned.source}`,
    modules: factored.map((tensor) => describeModule(pair, tensor, options)),
    replaced,
    inputs: [tuned, base],
    passedOn,
    isTransposed: factored.some(({ isTransposed }) => isTransposed),
    savedModules: places.savedModules,
    settings: { bias: places.bias },
  });
  const network: Checkpoint = { ...adapter.checkpoint, files: [...tuned.files, ...base.files] };
  const rankOf = new Map(factored.map((tensor) => [tensor.name, tensor] as const));
  const planned = new Map<string, PlannedTensor>();
  for (const { name, a, b } of adapter.modules.values()) {
    const tensor = entry(rankOf, `${name}.weight`, "weight");
    const method = methodOf(factorBytes(tensor.info.shape, tensor.rank, options.exactUpTo));
    for (const key of [a, b]) {
      planned.set(key, {
        info: entry(network.tensors, key, "tensor"),
        method,
        sources: [{ network: 0, tensor: key }],
        parameters: {},
        reason: `factors of rank ${tensor.rank}`,
      });
    }
  }
  for (const [name, key] of places.names) {
    const stored = entry(tuned.tensors, name, "tensor");
    const isFloat = DTYPES[stored.dtype].float;
    planned.set(PREFIX + key, {
      info: { ...stored, dtype: isFloat ? (dtype ?? stored.dtype) : stored.dtype },
      method: undefined,
      sources: [{ network: 1, tensor: name }],
      parameters: {},
      reason: "stored whole",
    });
  }
  const metadata = { format: "pt" };
  const { products } = options;
  return {
    adapter,
    places,
    plan: {
      source: adapter.source,
      networks: [network, tuned, base],
      tensors: planned,
      metadata,
      seed: 0,
      products,
    },
  };
}

function describeModule(
  pair: Pair,
  tensor: FactoredTensor,
  { dtype, products, exactUpTo, onValues }: PlanExtractionOptions,
): BuiltModule {
  const { name, info, rank } = tensor;
  const [rows, columns] = [at(info.shape, 0, "extent"), at(info.shape, 1, "extent")];
  const isTurned = tensor.isTransposed || tensor.isEmbedding;
  const [out, from] = isTurned ? [columns, rows] : [rows, columns];
  return {
    name: moduleOf(name),
    kind: tensor.isEmbedding ? "embedding" : "linear",
    shapes: { a: [rank, from], b: [out, rank] },
    dtype: factorType(info.dtype, dtype),
    compute: () => computeFactors(pair, tensor, { rank, products, exactUpTo, onValues }),
  };
}

/** Describes the factors of a weight as a merge of one network, which computes them when they are read. */
function methodOf(held: number): MergeMethod {
  return {
    name: "extract",
    description: "Keeps the largest singular values of the difference of a fine-tune to its base.",
    source: "Eckart and Young, 1936",
    parameters: {},
    networks: { least: 1, most: 1, base: "none" },
    keepsTensor: true,
    heldBytes: () => held,
    blendInto: ({ parts }, out) => convertInto(at(parts, 0, "part"), out),
  };
}

/** Returns the bytes of the tensors that are stored whole. */
export function wholeBytes(tuned: Checkpoint, { names }: WholePlaces, dtype: DType | undefined): number {
  return [...names.keys()].reduce((sum, name) => {
    const info = entry(tuned.tensors, name, "tensor");
    const isCast = dtype !== undefined && DTYPES[info.dtype].float;
    return sum + (isCast ? sizeOf(info.shape) * DTYPES[dtype].bytes : byteLengthOf(info));
  }, 0);
}
