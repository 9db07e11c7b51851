import type { Attribute, Graph, Node } from "@isthmus/graph";
import { describe, expect, it } from "vitest";
import { findBatchNorms } from "./batch-norm-sites.ts";
import { sortSites } from "./measure-in-order.ts";

function node(op: string, inputs: readonly string[], output: string, body?: Graph): Node {
  const attributes = new Map<string, Attribute>(
    body === undefined ? [] : [["body", { type: "graph", value: body }]],
  );
  return { name: output, op, domain: "", inputs, outputs: [output], attributes };
}

/** A batch norm of `x` whose statistics are weights `<name>.mean` and `<name>.var`. */
const norm = (x: string, name: string, scale = "scale"): Node =>
  node("BatchNormalization", [x, scale, "bias", `${name}.mean`, `${name}.var`], name);

function graphOf(nodes: readonly Node[]): Graph {
  const statistics = nodes.flatMap(({ op, inputs }) => (op === "BatchNormalization" ? inputs.slice(3) : []));
  const info = { dtype: "f32" as const, shape: [1], role: "statistic" as const };
  return {
    name: "g",
    opsets: new Map([["", 17]]),
    inputs: [{ name: "x" }],
    weights: new Map(["scale", "bias", "w", ...statistics].map((name) => [name, info])),
    constants: new Map(),
    nodes,
    outputs: [{ name: nodes.at(-1)?.outputs[0] ?? "" }],
  };
}

const levelsIn = (graph: Graph) => sortSites(graph, findBatchNorms(graph));

const levelsOf = (nodes: readonly Node[]) =>
  levelsIn(graphOf(nodes)).map(({ sites, live }) => [sites.map(({ node }) => node), [...live].sort()]);

describe("sortSites()", () => {
  it("takes norms in a row one by one", () => {
    expect(levelsOf([norm("x", "a"), node("Conv", ["a", "w"], "c"), norm("c", "b")])).toEqual([
      [["a"], ["x"]],
      [["b"], ["c"]],
    ]);
  });

  it("takes parallel norms together, and keeps what a residual connection needs later", () => {
    const nodes = [
      node("Conv", ["x", "w"], "p"),
      norm("p", "a"),
      norm("x", "b"),
      node("Add", ["a", "b"], "s"),
      norm("s", "c"),
      node("Add", ["c", "p"], "y"),
    ];
    expect(levelsOf(nodes)).toEqual([
      [
        ["a", "b"],
        ["p", "x"],
      ],
      [["c"], ["p", "s"]],
    ]);
  });

  it("leaves out norms whose statistics are computed, or constants", () => {
    const graph = graphOf([norm("x", "a"), norm("a", "b")]);
    const weights = new Map([...graph.weights].filter(([name]) => name !== "b.var"));
    const levels = levelsIn({ ...graph, weights });
    expect(levels.map(({ sites }) => sites.map(({ node }) => node))).toEqual([["a"]]);
    expect(levelsIn(graphOf([node("Relu", ["x"], "y")]))).toEqual([]);
  });

  it("does not count what is computed from weights alone", () => {
    const nodes = [node("Neg", ["w"], "v"), norm("x", "a"), node("Mul", ["a", "v"], "y"), norm("y", "b")];
    expect(levelsOf(nodes)).toEqual([
      [["a"], ["x"]],
      [["b"], ["y"]],
    ]);
  });

  it("measures a norm after those its scale depends on", () => {
    const nodes = [norm("x", "a"), norm("a", "b"), norm("x", "c", "b"), norm("c", "d")];
    expect(levelsOf(nodes)).toEqual([
      [["a"], ["x"]],
      [["b"], ["a", "x"]],
      [["c"], ["b", "x"]],
      [["d"], ["c"]],
    ]);
  });

  it("sees what branches use around them", () => {
    const body = { ...graphOf([node("Add", ["a", "p"], "z")]), inputs: [] };
    const nodes = [node("Relu", ["x"], "p"), norm("p", "a"), node("If", ["w"], "y", body), norm("y", "b")];
    expect(levelsOf(nodes)).toEqual([
      [["a"], ["p"]],
      [["b"], ["y"]],
    ]);
  });

  it("does not take outputs that are left out for a value", () => {
    const split = { ...node("Dropout", ["a"], "d"), outputs: ["d", ""] };
    const clip = node("Clip", ["d", "", "w"], "y");
    expect(levelsOf([norm("x", "a"), split, norm("d", "b"), { ...clip, outputs: ["y"] }])).toEqual([
      [["a"], ["x"]],
      [["b"], ["d"]],
    ]);
  });

  it("refuses norms that share their statistics", () => {
    const second = { ...norm("a", "a"), name: "second", outputs: ["b"] };
    expect(() => levelsIn(graphOf([norm("x", "a"), second]))).toThrow(
      expect.objectContaining({ _tag: "UnsupportedError" }),
    );
    expect(() => levelsIn(graphOf([norm("x", "a"), second]))).toThrow(/"a" and "second" share "a.mean"/);
  });
});
