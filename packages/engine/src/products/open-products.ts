import type { DeviceName } from "@isthmus/graph";
import {
  createProducts,
  type Matrix,
  type MatrixProductOptions,
  type MatrixProducts,
  plainProducts,
} from "@isthmus/linear-algebra";
import { assertDevice } from "../devices/assert-device.ts";
import { createOnnxRuntimeEngine, hasNativeLibrary } from "../onnxruntime/create-onnxruntime-engine.ts";

/** URL of this module, from which worker threads of a merge open their own products. */
export const PRODUCTS_MODULE: string = import.meta.url;

/** Name of the part of the module's URL that names the device. */
const DEVICE = "device";

/**
 * Returns the URL of a module that makes products of matrices on a device. `auto` makes them on the
 * processor, as it chooses by graphs.
 */
export function productsModuleOn(device: DeviceName = "cpu"): string {
  if (device === "cpu" || device === "auto") return PRODUCTS_MODULE;
  const url = new URL(PRODUCTS_MODULE);
  url.searchParams.set(DEVICE, device);
  return url.href;
}

/**
 * Makes products of matrices by the native library of onnxruntime, and by the kernels of Isthmus if there is
 * none, so that merging needs no engine. If the URL names a device, it makes the large ones.
 * @param threads - number of threads inside one product; 0 for the number of cores
 * @param module - URL by which this module was named
 * @public as `openProducts`, which worker threads call
 */
export function openProducts(threads: number, module: string = PRODUCTS_MODULE): MatrixProducts {
  const processor = hasNativeLibrary()
    ? createProducts(createOnnxRuntimeEngine(), threads, false)
    : plainProducts;
  const device = new URL(module).searchParams.get(DEVICE) ?? "cpu";
  assertDevice(device);
  if (device === "cpu") return processor;
  return shareProducts(createProducts(createOnnxRuntimeEngine({ device })), processor);
}

/** Multiplications in a product below which the way to a device takes longer than the product. */
const LARGE = 2 ** 21;

/**
 * Makes large products of f32 on a device, and all others on the processor: devices have no f64, in which
 * factorizations need their products.
 */
export function shareProducts(
  device: MatrixProducts,
  processor: MatrixProducts,
  large: number = LARGE,
): MatrixProducts {
  const choose = (left: Matrix, right: Matrix, { transposeRight = false }: MatrixProductOptions) => {
    const multiplications = left.data.length * (transposeRight ? right.rows : right.columns);
    return left.data instanceof Float32Array && multiplications >= large ? device : processor;
  };
  return {
    name: device.name,
    lacksDoubles: true,
    multiply: (left, right, options = {}) => choose(left, right, options).multiply(left, right, options),
    async release() {
      await device.release();
      await processor.release();
    },
  };
}
