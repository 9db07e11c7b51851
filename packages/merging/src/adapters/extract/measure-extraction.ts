import { at, type Checkpoint, entry } from "@isthmus/core";
import { type MatrixProducts, transposeMatrix } from "@isthmus/linear-algebra";
import type { Adapter, AdapterModule } from "../adapter.ts";
import { readFactors } from "../read-factors.ts";
import type { FactoredTensor } from "./plan-extraction.ts";
import { type Pair, readDifferences, sumOfSquares } from "./read-difference.ts";

/** How well the factors of one module, or of all, give the difference. */
export interface Residual {
  /** Norm of the difference: the square root of the sum of squares. */
  readonly change: number;
  /** Norm of the difference less the product of the stored factors. */
  readonly residual: number;
  /**
   * Least norm that factors of these ranks can leave (Eckart and Young); null if singular values were only
   * searched for, which comes near it.
   */
  readonly best: number | null;
}

/** How well the factors of one module give the difference of its weight. */
export interface ModuleResidual extends Residual {
  /** Name of the module. */
  readonly name: string;
  /** Rank of the factors. */
  readonly rank: number;
}

/** An adapter that was saved. */
export interface MeasuredAdapter {
  /** Adapter as it was planned. */
  readonly adapter: Adapter;
  /** Weights of the adapter as they were saved. */
  readonly stored: Checkpoint;
  /** Weights that are stored as factors. */
  readonly factored: readonly FactoredTensor[];
  /** Returns the largest singular values of the difference of a weight; empty if they are not known. */
  readonly valuesOf: (weight: string) => readonly number[];
}

/** Options of a measurement. */
export interface MeasureOptions {
  /** Multiplier of matrices. */
  readonly products: MatrixProducts;
  /** Largest shorter side for which singular values are exact, see `leadingSvd`. */
  readonly exactUpTo: number;
  /** Signal that stops the work. */
  readonly signal?: AbortSignal | undefined;
  /** Called with the share of modules that are measured, in `[0, 1]`. */
  readonly onProgress?: ((done: number) => void) | undefined;
}

/** Number of elements of a weight that are compared at a time. */
const COMPARED = 2 ** 20;

/**
 * Measures, module by module, what the stored factors of an adapter leave of the differences that they stand
 * for.
 */
export async function measureExtraction(
  pair: Pair,
  { adapter, stored, factored, valuesOf }: MeasuredAdapter,
  { products, exactUpTo, signal, onProgress }: MeasureOptions,
): Promise<readonly ModuleResidual[]> {
  const residuals: ModuleResidual[] = [];
  for (const [i, tensor] of factored.entries()) {
    signal?.throwIfAborted();
    const module = entry(adapter.modules, tensor.name.slice(0, -".weight".length), "module");
    const values = valuesOf(tensor.name);
    residuals.push(await measureModule(pair, { stored, module, tensor, values }, { products, exactUpTo }));
    onProgress?.((i + 1) / factored.length);
  }
  return residuals;
}

interface MeasuredModule {
  readonly stored: Checkpoint;
  readonly module: AdapterModule;
  readonly tensor: FactoredTensor;
  /** Largest singular values of the difference; empty if they are not known. */
  readonly values: readonly number[];
}

async function measureModule(
  pair: Pair,
  { stored, module, tensor, values }: MeasuredModule,
  { products, exactUpTo }: Pick<MeasureOptions, "products" | "exactUpTo">,
): Promise<ModuleResidual> {
  const { name, info, rank } = tensor;
  const columns = at(info.shape, 1, "extent");
  const factors = await readFactors({ checkpoint: stored }, module, "f32");
  const isTurned = tensor.isTransposed || tensor.isEmbedding;
  const [left, right] = isTurned
    ? [transposeMatrix(factors.right), transposeMatrix(factors.left)]
    : [factors.left, factors.right];
  const rows = Math.max(1, Math.floor(COMPARED / columns));
  let [change, rest] = [0, 0];
  for await (const { begin, difference } of readDifferences(pair, name, rows * columns)) {
    change += sumOfSquares(difference);
    const top = begin / columns;
    const count = difference.length / columns;
    const part = { ...left, rows: count, data: left.data.slice(top * rank, (top + count) * rank) };
    const { data } = await products.multiply(part, right);
    for (let i = 0; i < difference.length; i++)
      difference[i] = (difference[i] as number) - (data[i] as number);
    rest += sumOfSquares(difference);
  }
  const isExact = Math.min(at(info.shape, 0, "extent"), columns) <= exactUpTo && values.length >= rank;
  const residual = Math.sqrt(rest);
  // By rounding the residual may be computed slightly below the least possible one.
  const best = isExact ? Math.min(leastResidual(change, values, rank), residual) : null;
  return { name: module.name, rank, change: Math.sqrt(change), residual, best };
}

/**
 * Returns the least norm that factors of a rank can leave of a difference.
 * @param squared - squared norm of the difference
 * @param values - its largest singular values, at least as many as the rank
 */
function leastResidual(squared: number, values: readonly number[], rank: number): number {
  return Math.sqrt(Math.max(0, squared - sumOfSquares(values.slice(0, rank))));
}

/** Adds the residuals of modules. */
export function totalResidual(modules: readonly Residual[]): Residual {
  const norm = (numbers: readonly number[]) => Math.sqrt(sumOfSquares(numbers));
  const best = modules.map((module) => module.best);
  return {
    change: norm(modules.map(({ change }) => change)),
    residual: norm(modules.map(({ residual }) => residual)),
    best: best.every((value) => value !== null) ? norm(best) : null,
  };
}
