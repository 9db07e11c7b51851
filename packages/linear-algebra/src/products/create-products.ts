import { allocateData, entry, type Tensor } from "@isthmus/core";
import type { Engine, Graph, Session } from "@isthmus/graph";
import { createMatrix, type Matrix } from "../matrix.ts";
import { type MatrixProductOptions, type MatrixProducts, productExtents } from "./matrix-products.ts";
import { multiply } from "./multiply.ts";

/**
 * Products on this thread, by the SIMD kernels of this package: there is nothing to set up, nothing to
 * release.
 */
export const plainProducts: MatrixProducts = {
  name: "wasm",
  multiply: async (left, right, options) => multiply(left, right, options),
  async release() {},
};

/** Version of ONNX's operator set, since which operators on matrices have been the same. */
const OPSET = 13;

/**
 * Multiplies by an engine such as onnxruntime, which uses all cores and the widest instructions of the
 * machine.
 *
 * The engine must take f64 for matrices of f64. Sessions are made when a kind of product is first needed.
 * @param threads - threads inside one product; 0 lets the engine choose
 * @param optimize - whether the engine optimizes the graph of a product. Onnxruntime's threads keep their
 *   cores busy between runs of an optimized graph on the processor, which has nothing to optimize here
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine } from "@isthmus/engine";
 * import { createMatrix, createProducts } from "@isthmus/linear-algebra";
 *
 * const products = createProducts(createOnnxRuntimeEngine());
 * const a = createMatrix(1, 2, Float32Array.of(1, 2));
 * assert.deepEqual((await products.multiply(a, a, { transposeRight: true })).data, Float32Array.of(5));
 * await products.release();
 * ```
 */
export function createProducts(engine: Engine, threads = 0, optimize = true): MatrixProducts {
  const sessions = new Map<string, Promise<Session>>();
  const sessionOf = (graph: Graph): Promise<Session> => {
    const session = sessions.get(graph.name) ?? engine.load(graph, { threads, optimize });
    sessions.set(graph.name, session);
    return session;
  };
  return {
    name: engine.name,
    async multiply(left: Matrix, right: Matrix, options: MatrixProductOptions = {}) {
      const { m, n, k } = productExtents(left, right, options);
      // Engines differ in their results for empty matrices.
      if (m * n * k === 0) return multiply(left, right, options);
      const dtype = left.data instanceof Float64Array ? "f64" : "f32";
      const session = await sessionOf(productGraph(dtype, options));
      const out: Tensor = { dtype, shape: [m, n], data: options.out ?? allocateData(dtype, m * n) };
      const feeds = new Map([
        ["left", tensorOf(dtype, left)],
        ["right", tensorOf(dtype, right)],
      ]);
      const results = await session.run(feeds, new Map([["product", out]]));
      return createMatrix(m, n, entry(results, "product", "output").data as Matrix["data"]);
    },
    async release() {
      const all = await Promise.all(sessions.values());
      sessions.clear();
      await Promise.all(all.map((session) => session.release()));
    },
  };
}

function tensorOf(dtype: "f32" | "f64", { rows, columns, data }: Matrix): Tensor {
  return { dtype, shape: [rows, columns], data };
}

/** Builds a graph of one `Gemm` on matrices of any extents. */
function productGraph(
  dtype: "f32" | "f64",
  { transposeLeft = false, transposeRight = false }: MatrixProductOptions,
): Graph {
  const flag = (isSet: boolean) => ({ type: "int", value: isSet ? 1 : 0 }) as const;
  return {
    name: `product of ${dtype}${transposeLeft ? ", left transposed" : ""}${transposeRight ? ", right transposed" : ""}`,
    opsets: new Map([["", OPSET]]),
    inputs: [
      { name: "left", dtype, shape: ["i", "j"] },
      { name: "right", dtype, shape: ["k", "l"] },
    ],
    weights: new Map(),
    constants: new Map(),
    nodes: [
      {
        name: "product",
        op: "Gemm",
        domain: "",
        inputs: ["left", "right"],
        outputs: ["product"],
        attributes: new Map([
          ["transA", flag(transposeLeft)],
          ["transB", flag(transposeRight)],
        ]),
      },
    ],
    outputs: [{ name: "product", dtype, shape: ["m", "n"] }],
  };
}
