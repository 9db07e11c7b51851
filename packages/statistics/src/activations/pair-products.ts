import { entry, type Tensor } from "@isthmus/core";
import type { Engine, Graph, Node } from "@isthmus/graph";
import { addTo } from "./kernels/covariances.ts";
import type { UnitPanel } from "./unit-view.ts";

/** Sums of products of samples over all pairs of units, computed by an engine. */
export interface PairProducts {
  /**
   * Adds the sums of `(a - shift) (b - shift)` over samples to `sums`, `[units of a, units of b]`.
   * @param shifts - shifts of `a` and of `b`, `[units]` each
   */
  addTo(
    sums: Float64Array,
    a: UnitPanel,
    b: UnitPanel,
    shifts: readonly [Float32Array, Float32Array],
  ): Promise<void>;
  /** Frees the sessions of the engine. */
  release(): Promise<void>;
}

/**
 * Number of samples that the engine adds up in f32 before the sum is added in f64. Such a sum is exact to
 * about 1e-6 of the units' deviations; a product in f64, with values cast to it, takes 4 to 10 times as long.
 */
const SAMPLES_AT_ONCE = 4096;

/** Creates sums of products by the engine's GEMM in f32, added up in f64. */
export async function createPairProducts(engine: Engine): Promise<PairProducts> {
  const rows = await engine.load(ROWS);
  const planes = await engine.load(PLANES);
  return {
    async addTo(sums, a, b, shifts) {
      const session = a.inner === 1 ? rows : planes;
      const step = Math.max(1, Math.floor(SAMPLES_AT_ONCE / a.inner));
      for (let begin = 0; begin < a.outer; begin += step) {
        const feeds = new Map([
          ["a", panelTensor(a, begin, step)],
          ["b", panelTensor(b, begin, step)],
          ["shiftA", shiftTensor(shifts[0], a)],
          ["shiftB", shiftTensor(shifts[1], b)],
        ]);
        const products = entry(await session.run(feeds), "products", "output");
        addTo(sums, products.data as Float32Array);
      }
    },
    async release() {
      await Promise.all([rows.release(), planes.release()]);
    },
  };
}

/** Returns `step` outer positions of a panel from `begin` on, which share its memory. */
function panelTensor({ data, outer, units, inner }: UnitPanel, begin: number, step: number): Tensor {
  const end = Math.min(begin + step, outer);
  const shape = inner === 1 ? [end - begin, units] : [end - begin, units, inner];
  return { dtype: "f32", shape, data: data.subarray(begin * units * inner, end * units * inner) };
}

function shiftTensor(shift: Float32Array, { inner }: UnitPanel): Tensor {
  return { dtype: "f32", shape: inner === 1 ? [shift.length] : [shift.length, 1], data: shift };
}

/** Returns the node that subtracts the shift from a panel. */
function centred(name: "a" | "b"): Node {
  return node("Sub", [name, name === "a" ? "shiftA" : "shiftB"], `${name}.centred`);
}

/** Returns the nodes that reshape `[outer, units, inner]` to `[units, outer * inner]`. */
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
    ({ name, dtype: "f32", shape: [units, ...inner.map(() => 1)] }) as const;
  return {
    name: "pair products",
    opsets: new Map([["", 17]]),
    inputs: [panel("a", "units"), panel("b", "other"), shift("shiftA", "units"), shift("shiftB", "other")],
    weights: new Map(),
    constants: new Map(),
    nodes: [centred("a"), centred("b"), ...nodes],
    outputs: [{ name: "products", dtype: "f32", shape: ["units", "other"] }],
  };
}

/** Graph that multiplies panels `[samples, units]`. */
const ROWS: Graph = productGraph([], [node("Gemm", ["a.centred", "b.centred"], "products", { transA: 1 })]);

/** Graph that multiplies panels `[outer, units, inner]`. */
const PLANES: Graph = productGraph(
  ["inner"],
  [...flattened("a"), ...flattened("b"), node("Gemm", ["a.flat", "b.flat"], "products", { transB: 1 })],
);
