import type { Tensor } from "@isthmus/core";
import type { Engine, Graph, Node, Session } from "@isthmus/graph";
import { addCrossProducts, addRowProducts } from "../../coordinate-descent/kernels/products.ts";

/** Two panels that are multiplied: the inner products of all their units. */
export interface PanelFactors {
  /** Panel of the first factor, whose units are the rows of the sum. */
  readonly a: Float32Array;
  /** Panel of the second factor, whose units are the columns of the sum. */
  readonly b: Float32Array;
  /** Whether units are rows, `[units, depth]`, or columns, `[depth, units]`. */
  readonly byRows: boolean;
  /** Units of `b`; `a` may have others. */
  readonly units: number;
}

/** A port that sums products of panels. */
export interface PanelSums {
  /**
   * Writes the sum of the products of some pairs of panels, one after the other.
   * @param base - `[units of a, units of b]`, what the sum begins with; nothing if undefined
   * @param out - `[units of a, units of b]`, not `base`
   */
  sum(
    factors: readonly PanelFactors[],
    arrays: { readonly base?: Float32Array | undefined; readonly out: Float32Array },
  ): Promise<void>;
  /** Frees the sessions that compute sums. */
  release(): Promise<void>;
}

/**
 * Creates sums by an engine's GEMM, or without an engine by a plain loop, some hundred times slower.
 *
 * A sum is one run of the engine, so no intermediate result is handed out: such arrays are soon garbage, and
 * collecting them would take longer than small products do.
 * @param threads - threads of the engine
 */
export function createPanelSums(engine: Engine | undefined, threads: number): PanelSums {
  if (engine === undefined) return PLAIN_SUMS;
  const sessions = new Map<string, Promise<Session>>();
  const sessionOf = (graph: Graph): Promise<Session> => {
    const session = sessions.get(graph.name) ?? engine.load(graph, { threads });
    sessions.set(graph.name, session);
    return session;
  };
  return {
    async sum(factors, { base, out }) {
      if (factors.length === 0) return begin(out, base);
      const session = await sessionOf(sumGraph(factors, base !== undefined));
      const feeds = new Map<string, Tensor>();
      factors.forEach(({ a, b, byRows, units }, i) => {
        const depth = b.length / units;
        feeds.set(`a${i}`, matrix(a, byRows ? depth : a.length / depth));
        feeds.set(`b${i}`, matrix(b, byRows ? depth : units));
      });
      const [{ units }] = factors as [PanelFactors];
      if (base !== undefined) feeds.set("base", matrix(base, units));
      await session.run(feeds, new Map([[lastOf(factors), matrix(out, units)]]));
    },
    async release() {
      const all = await Promise.all(sessions.values());
      sessions.clear();
      await Promise.all(all.map((session) => session.release()));
    },
  };
}

const PLAIN_SUMS: PanelSums = {
  async sum(factors, { base, out }) {
    begin(out, base);
    for (const { a, b, byRows, units } of factors) {
      const depth = b.length / units;
      if (byRows) addRowProducts(a, b, out, depth);
      else addCrossProducts(a, b, out, depth);
    }
  },
  async release() {},
};

function begin(out: Float32Array, base: Float32Array | undefined): void {
  if (base === undefined) out.fill(0);
  else out.set(base);
}

function matrix(data: Float32Array, columns: number): Tensor {
  return { dtype: "f32", shape: [data.length / columns, columns], data };
}

const lastOf = ({ length }: readonly PanelFactors[]): string => `sum${length - 1}`;

/** Builds a graph of one `Gemm` for each product, each of which adds to the one before. */
function sumGraph(factors: readonly PanelFactors[], hasBase: boolean): Graph {
  const input = (name: string, ...shape: string[]) => ({ name, dtype: "f32" as const, shape });
  const kinds = factors.map(({ byRows }) => (byRows ? "rows" : "columns"));
  return {
    name: `sum of products of ${kinds.join(", ")}${hasBase ? " and a base" : ""}`,
    opsets: new Map([["", 13]]),
    inputs: [
      ...factors.flatMap(({ byRows }, i) =>
        byRows
          ? [input(`a${i}`, "left", `depth${i}`), input(`b${i}`, "right", `depth${i}`)]
          : [input(`a${i}`, `depth${i}`, "left"), input(`b${i}`, `depth${i}`, "right")],
      ),
      ...(hasBase ? [input("base", "left", "right")] : []),
    ],
    weights: new Map(),
    constants: new Map(),
    nodes: factors.map(({ byRows }, i): Node => {
      const before = i > 0 ? [`sum${i - 1}`] : hasBase ? ["base"] : [];
      return {
        name: `product ${i}`,
        op: "Gemm",
        domain: "",
        inputs: [`a${i}`, `b${i}`, ...before],
        outputs: [`sum${i}`],
        attributes: new Map([[byRows ? "transB" : "transA", { type: "int", value: 1 }]]),
      };
    }),
    outputs: [{ name: lastOf(factors), dtype: "f32", shape: ["left", "right"] }],
  };
}
