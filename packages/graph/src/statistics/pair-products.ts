import { EngineError, type Tensor, UnsupportedError } from "@isthmus/core";
import type { Engine, Session } from "../engine.ts";
import type { Graph, Node } from "../ir/graph.ts";
import { addPairProducts } from "./kernels/unit-sums.ts";
import type { UnitPanel } from "./unit-view.ts";

/** Sums products of samples over all pairs of units. */
export interface PairProducts {
  /**
   * Sums of `(a - shift) (b - shift)` over samples, `[units of a, units of b]`.
   * @param shifts - of a and of b, `[units]` each
   */
  sum(a: UnitPanel, b: UnitPanel, shifts: readonly [Float64Array, Float64Array]): Promise<Float64Array>;
  release(): Promise<void>;
}

/** Products by the engine's GEMM in f64; by a plain loop, some hundred times slower, where it has none for f64. */
export async function createPairProducts(engine: Engine): Promise<PairProducts> {
  const sessions = await loadProducts(engine);
  if (sessions === undefined) return { sum: sumPlainly, async release() {} };
  const { rows, planes } = sessions;
  return {
    async sum(a, b, shifts) {
      const session = a.inner === 1 ? rows : planes;
      const results = await session.run(
        new Map([
          ["a", panelTensor(a)],
          ["b", panelTensor(b)],
          ["shiftA", shiftTensor(shifts[0], a)],
          ["shiftB", shiftTensor(shifts[1], b)],
        ]),
      );
      return results.get("products")?.data as Float64Array;
    },
    async release() {
      await Promise.all([rows.release(), planes.release()]);
    },
  };
}

async function loadProducts(engine: Engine): Promise<{ rows: Session; planes: Session } | undefined> {
  try {
    const rows = await engine.load(ROWS);
    try {
      return { rows, planes: await engine.load(PLANES) };
    } catch (error) {
      await rows.release();
      throw error;
    }
  } catch (error) {
    if (error instanceof EngineError || error instanceof UnsupportedError) return undefined;
    throw error;
  }
}

async function sumPlainly(
  a: UnitPanel,
  b: UnitPanel,
  shifts: readonly [Float64Array, Float64Array],
): Promise<Float64Array> {
  const products = new Float64Array(a.units * b.units);
  addPairProducts(a.data, b.data, shifts, products, a.inner);
  return products;
}

function panelTensor({ data, outer, units, inner }: UnitPanel): Tensor {
  return { dtype: "f32", shape: inner === 1 ? [outer, units] : [outer, units, inner], data };
}

function shiftTensor(shift: Float64Array, { inner }: UnitPanel): Tensor {
  return { dtype: "f64", shape: inner === 1 ? [shift.length] : [shift.length, 1], data: shift };
}

const F64 = 11;

/** Nodes that bring a panel into f64, centred. */
function centred(name: "a" | "b"): Node[] {
  const shift = name === "a" ? "shiftA" : "shiftB";
  return [
    node("Cast", [name], `${name}.wide`, { to: F64 }),
    node("Sub", [`${name}.wide`, shift], `${name}.centred`),
  ];
}

/** Nodes that bring `[outer, units, inner]` to `[units, outer * inner]`. */
function flattened(name: "a" | "b"): Node[] {
  return [
    {
      ...node("Transpose", [`${name}.centred`], `${name}.turned`),
      attributes: new Map([["perm", { type: "ints", value: [1, 0, 2] }]]),
    },
    node("Flatten", [`${name}.turned`], `${name}.flat`, { axis: 1 }),
  ];
}

function node(
  op: string,
  inputs: readonly string[],
  output: string,
  whole: Record<string, number> = {},
): Node {
  const attributes = new Map(
    Object.entries(whole).map(([key, value]) => [key, { type: "int", value } as const]),
  );
  return { name: output, op, domain: "", inputs, outputs: [output], attributes };
}

function productGraph(inner: readonly string[], nodes: readonly Node[]): Graph {
  const panel = (name: string, units: string) =>
    ({ name, dtype: "f32", shape: ["samples", units, ...inner] }) as const;
  const shift = (name: string, units: string) =>
    ({ name, dtype: "f64", shape: [units, ...inner.map(() => 1)] }) as const;
  return {
    name: "pair products",
    opsets: new Map([["", 17]]),
    inputs: [panel("a", "units"), panel("b", "other"), shift("shiftA", "units"), shift("shiftB", "other")],
    weights: new Map(),
    constants: new Map(),
    nodes: [...centred("a"), ...centred("b"), ...nodes],
    outputs: [{ name: "products", dtype: "f64", shape: ["units", "other"] }],
  };
}

/** For `[samples, units]`. */
const ROWS: Graph = productGraph([], [node("Gemm", ["a.centred", "b.centred"], "products", { transA: 1 })]);

/** For `[outer, units, inner]`. */
const PLANES: Graph = productGraph(
  ["inner"],
  [...flattened("a"), ...flattened("b"), node("Gemm", ["a.flat", "b.flat"], "products", { transB: 1 })],
);
