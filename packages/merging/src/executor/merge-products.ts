import { UsageError } from "@isthmus/core";
import type { MatrixProducts } from "@isthmus/linear-algebra";
import type { MergePlan } from "../merge-plan.ts";
import { importModule } from "./merge-source.ts";

/** The function of a module that makes products for one thread of a merge, with threads of their own. */
export type OpenProducts = (threads: number) => MatrixProducts | Promise<MatrixProducts>;

/** Checks whether a method of a plan multiplies matrices, which methods that hold whole tensors may do. */
export function needsProducts({ tensors }: Pick<MergePlan, "tensors">): boolean {
  return [...tensors.values()].some(({ method }) => method?.keepsTensor === true);
}

/**
 * Makes the products of matrices that a module offers.
 * @param module - URL or path of a module that exports `openProducts`, an {@link OpenProducts}
 * @param threads - threads inside one product; 0 for as many as there are cores
 * @throws UsageError if the module has no function `openProducts`
 */
export async function openMergeProducts(module: string, threads: number): Promise<MatrixProducts> {
  const { openProducts } = await importModule(module);
  if (typeof openProducts === "function") return (openProducts as OpenProducts)(threads);
  throw new UsageError(
    `Cannot multiply matrices by "${module}" as it must export a function openProducts: it exports none`,
  );
}
