import type { Tensor } from "@isthmus/core";
import type { Engine, Graph, Node } from "@isthmus/graph";
import type { UnitPanel } from "./unit-view.ts";

/** Sums products of samples over all pairs of units. */
export interface PairProducts {
  /**
   * Adds sums of `(a - shift) (b - shift)` over samples to `sums`, `[units of a, units of b]`.
   * @param shifts - of a and of b, `[units]` each
   */
  addTo(
    sums: Float64Array,
    a: UnitPanel,
    b: UnitPanel,
    shifts: readonly [Float32Array, Float32Array],
  ): Promise<void>;
  release(): Promise<void>;
}

/**
 * Samples that the engine adds up in f32 before they are added in f64. Such a sum is exact to some 1e-6 of the units' deviations;
 * the engine's product in f64, with values cast to it, takes 4 to 10 times as long.
 */
const SAMPLES_AT_ONCE = 4096;

/** Products by the engine's GEMM in f32, added up in f64. */
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
        const products = (await session.run(feeds)).get("products")?.data as Float32Array;
        for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] ?? 0) + (products[i] ?? 0);
      }
    },
    async release() {
      await Promise.all([rows.release(), planes.release()]);
    },
  };
}

/** `step` of the outer positions of a panel from `begin` on, sharing its memory. */
function panelTensor({ data, outer, units, inner }: UnitPanel, begin: number, step: number): Tensor {
  const end = Math.min(begin + step, outer);
  const shape = inner === 1 ? [end - begin, units] : [end - begin, units, inner];
  return { dtype: "f32", shape, data: data.subarray(begin * units * inner, end * units * inner) };
}

function shiftTensor(shift: Float32Array, { inner }: UnitPanel): Tensor {
  return { dtype: "f32", shape: inner === 1 ? [shift.length] : [shift.length, 1], data: shift };
}

/** The node that centres a panel. */
function centred(name: "a" | "b"): Node {
  return node("Sub", [name, name === "a" ? "shiftA" : "shiftB"], `${name}.centred`);
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

/** For `[samples, units]`. */
const ROWS: Graph = productGraph([], [node("Gemm", ["a.centred", "b.centred"], "products", { transA: 1 })]);

/** For `[outer, units, inner]`. */
const PLANES: Graph = productGraph(
  ["inner"],
  [...flattened("a"), ...flattened("b"), node("Gemm", ["a.flat", "b.flat"], "products", { transB: 1 })],
);
