import { createProducts, type MatrixProducts } from "@isthmus/linear-algebra";
import { createOnnxRuntimeEngine } from "../onnxruntime/create-onnxruntime-engine.ts";

/** URL of this module, from which worker threads of a merge open their own products. */
export const PRODUCTS_MODULE: string = import.meta.url;

/**
 * Makes products of matrices by onnxruntime.
 * @param threads - number of threads inside one product; 0 for the number of cores
 * @public as `openProducts`, which worker threads call
 */
export function openProducts(threads: number): MatrixProducts {
  return createProducts(createOnnxRuntimeEngine(), threads);
}
