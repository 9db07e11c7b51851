import { createProducts, type MatrixProducts, plainProducts } from "@isthmus/linear-algebra";
import { createOnnxRuntimeEngine, hasNativeLibrary } from "../onnxruntime/create-onnxruntime-engine.ts";

/** URL of this module, from which worker threads of a merge open their own products. */
export const PRODUCTS_MODULE: string = import.meta.url;

/**
 * Makes products of matrices by the native library of onnxruntime, and by the kernels of Isthmus if there is
 * none, so that merging needs no engine.
 * @param threads - number of threads inside one product; 0 for the number of cores
 * @public as `openProducts`, which worker threads call
 */
export function openProducts(threads: number): MatrixProducts {
  return hasNativeLibrary() ? createProducts(createOnnxRuntimeEngine(), threads) : plainProducts;
}
