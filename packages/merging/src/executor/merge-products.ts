import { UsageError } from "@isthmus/core";
import type { MatrixProducts } from "@isthmus/linear-algebra";
import type { MergePlan } from "../merge-plan.ts";
import { importModule } from "./merge-source.ts";

/**
 * Function of a module that makes the multiplier of matrices for one thread of a merge. Each product uses the
 * given number of threads; the URL or path is the one by which the module was named, whose query it may read.
 */
export type OpenProducts = (threads: number, module: string) => MatrixProducts | Promise<MatrixProducts>;

/** Checks whether a method of a plan may multiply matrices: all methods that hold whole tensors may. */
export function needsProducts({ tensors }: Pick<MergePlan, "tensors">): boolean {
  return [...tensors.values()].some(({ method }) => method?.keepsTensor === true);
}

/**
 * Makes the multiplier of matrices of a module.
 * @param module - URL or path of a module that exports `openProducts`, an {@link OpenProducts}
 * @param threads - number of threads for one product; 0 for the number of cores
 * @throws UsageError if the module has no function `openProducts`
 */
export async function openMergeProducts(module: string, threads: number): Promise<MatrixProducts> {
  const { openProducts } = await importModule(module);
  if (typeof openProducts === "function") return (openProducts as OpenProducts)(threads, module);
  throw new UsageError(
    `Cannot multiply matrices by "${module}" as it must export a function openProducts: it exports none`,
  );
}
