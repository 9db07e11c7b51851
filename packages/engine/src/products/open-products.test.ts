import {
  createMatrix,
  createProducts,
  type Matrix,
  type MatrixProducts,
  multiply,
  plainProducts,
} from "@isthmus/linear-algebra";
import { expect, it } from "vitest";
import { createOnnxRuntimeEngine } from "../onnxruntime/create-onnxruntime-engine.ts";
import { openProducts, PRODUCTS_MODULE, productsModuleOn, shareProducts } from "./open-products.ts";

const square = (Elements: Float32ArrayConstructor | Float64ArrayConstructor, size: number): Matrix =>
  createMatrix(
    size,
    size,
    Elements.from({ length: size * size }, (_, i) => Math.sin(i)),
  );

/** Products that count what they make. */
function counted(name: string): MatrixProducts & { readonly made: string[] } {
  const made: string[] = [];
  return {
    ...plainProducts,
    name,
    made,
    multiply: async (left, right, options) => {
      made.push(`${left.data.constructor.name} ${left.rows}`);
      return multiply(left, right, options);
    },
  };
}

it("a device makes large products of f32, and the processor all others", async () => {
  const [device, processor] = [counted("onnxruntime-webgpu"), counted("onnxruntime")];
  const products = shareProducts(device, processor, 8 ** 3);
  expect(products.name).toBe("onnxruntime-webgpu");
  for (const [Elements, size] of [
    [Float32Array, 8],
    [Float32Array, 7],
    [Float64Array, 8],
  ] as const) {
    const factor = square(Elements, size);
    const expected = multiply(factor, factor, { transposeRight: true });
    expect(await products.multiply(factor, factor, { transposeRight: true })).toEqual(expected);
  }
  expect(device.made).toEqual(["Float32Array 8"]);
  expect(processor.made).toEqual(["Float32Array 7", "Float64Array 8"]);
});

it("the URL of the module names the device, and no device for the processor and for auto", async () => {
  expect([productsModuleOn(), productsModuleOn("cpu"), productsModuleOn("auto")]).toEqual(
    Array.from({ length: 3 }, () => PRODUCTS_MODULE),
  );
  const products = openProducts(1, productsModuleOn("webgpu"));
  expect(products.name).toBe("onnxruntime-webgpu");
  // Products of f64 need no device.
  const factor = square(Float64Array, 200);
  const own = createProducts(createOnnxRuntimeEngine(), 1);
  expect(await products.multiply(factor, factor)).toEqual(await own.multiply(factor, factor));
  await Promise.all([products.release(), own.release()]);
});
