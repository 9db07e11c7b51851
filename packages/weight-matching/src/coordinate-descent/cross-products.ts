import type { Engine, Graph, Session } from "@isthmus/graph";
import { addCrossProducts, addOuterProduct, addRowProducts } from "./kernels/products.ts";

/** A port that computes products of panels: the inner products of all pairs of columns. */
export interface CrossProducts {
  /**
   * Computes `out = base + a^T b`.
   * @param a - `[rows, left]`
   * @param b - `[rows, right]`
   * @param base - `[left, right]`
   * @param out - `[left, right]`, not `base`
   */
  add(a: Float32Array, b: Float32Array, base: Float32Array, out: Float32Array): Promise<void>;
  /**
   * Computes `out = base + a b^T`.
   * @param a - `[left, depth]`
   * @param b - `[right, depth]`
   * @param base - `[left, right]`
   * @param out - `[left, right]`, not `base`
   */
  addByRows(factors: RowFactors, base: Float32Array, out: Float32Array): Promise<void>;
  /** Frees the sessions that compute products. */
  release(): Promise<void>;
}

/** Two matrices whose rows are multiplied with each other. */
export interface RowFactors {
  /** Matrix `[left, depth]`. */
  readonly a: Float32Array;
  /** Matrix `[right, depth]`. */
  readonly b: Float32Array;
  /** Number of columns of both, over which the products are summed. */
  readonly depth: number;
}

/**
 * Creates products by an engine's GEMM, or without an engine by a plain loop, some hundred times slower.
 */
export async function createCrossProducts(engine: Engine | undefined): Promise<CrossProducts> {
  if (engine === undefined) {
    return {
      async add(a, b, base, out) {
        out.set(base);
        addCrossProducts(a, b, out, rowsOf({ a, b, base }));
      },
      async addByRows({ a, b, depth }, base, out) {
        out.set(base);
        addRowProducts(a, b, out, depth);
      },
      async release() {},
    };
  }
  const session = await engine.load(GEMM);
  const byRows = await engine.load(GEMM_BY_ROWS);
  return {
    add: async (a, b, base, out) => {
      // The engine takes several times as long for a single row, such as a bias, and rounds alike.
      if (rowsOf({ a, b, base }) === 1) addOuterProduct(a, b, base, out);
      else await runGemm(session, { a, b, base, out });
    },
    addByRows: async ({ a, b, depth }, base, out) => {
      if (depth === 1) addOuterProduct(a, b, base, out);
      else await runByRows(byRows, { a, b, depth }, { base, out });
    },
    release: async () => {
      await session.release();
      await byRows.release();
    },
  };
}

const GEMM: Graph = {
  name: "cross products",
  opsets: new Map([["", 13]]),
  inputs: [
    { name: "a", dtype: "f32", shape: ["rows", "left"] },
    { name: "b", dtype: "f32", shape: ["rows", "right"] },
    { name: "base", dtype: "f32", shape: ["left", "right"] },
  ],
  weights: new Map(),
  constants: new Map(),
  nodes: [
    {
      name: "gemm",
      op: "Gemm",
      domain: "",
      inputs: ["a", "b", "base"],
      outputs: ["out"],
      attributes: new Map([["transA", { type: "int", value: 1 }]]),
    },
  ],
  outputs: [{ name: "out", dtype: "f32", shape: ["left", "right"] }],
};

const GEMM_BY_ROWS: Graph = {
  ...GEMM,
  name: "products of rows",
  inputs: [
    { name: "a", dtype: "f32", shape: ["left", "depth"] },
    { name: "b", dtype: "f32", shape: ["right", "depth"] },
    { name: "base", dtype: "f32", shape: ["left", "right"] },
  ],
  nodes: GEMM.nodes.map((node) => ({
    ...node,
    attributes: new Map([["transB", { type: "int" as const, value: 1 }]]),
  })),
  outputs: [{ name: "out", dtype: "f32", shape: ["left", "right"] }],
};

interface Products {
  readonly a: Float32Array;
  readonly b: Float32Array;
  readonly base: Float32Array;
  readonly out: Float32Array;
}

/** Finds the common number of rows of two matrices from the sizes of them and of their product. */
function rowsOf({ a, b, base }: Pick<Products, "a" | "b" | "base">): number {
  return Math.round(Math.sqrt((a.length / base.length) * b.length));
}

async function runGemm(session: Session, { a, b, base, out }: Products): Promise<void> {
  const rows = rowsOf({ a, b, base });
  const [left, right] = [a.length / rows, b.length / rows];
  const tensor = (data: Float32Array, ...shape: number[]) => ({ dtype: "f32" as const, shape, data });
  const feeds = new Map([
    ["a", tensor(a, rows, left)],
    ["b", tensor(b, rows, right)],
    ["base", tensor(base, left, right)],
  ]);
  await session.run(feeds, new Map([["out", tensor(out, left, right)]]));
}

async function runByRows(
  session: Session,
  { a, b, depth }: RowFactors,
  { base, out }: Pick<Products, "base" | "out">,
): Promise<void> {
  const matrix = (data: Float32Array, columns: number) => ({
    dtype: "f32" as const,
    shape: [data.length / columns, columns],
    data,
  });
  const right = b.length / depth;
  const feeds = new Map([
    ["a", matrix(a, depth)],
    ["b", matrix(b, depth)],
    ["base", matrix(base, right)],
  ]);
  await session.run(feeds, new Map([["out", matrix(out, right)]]));
}
