import { MismatchError, type TensorInfo, UnsupportedError } from "@isthmus/core";
import { encodeGraph, type Graph } from "@isthmus/graph";
import {
  add,
  GraphBuilder,
  greater,
  matMul,
  mul,
  reduceSum,
  relu,
  sign,
  type Value,
} from "@isthmus/graph/builder";
import { gradientName, ints } from "@isthmus/graph/ir";
import { describe, expect, test } from "vitest";
import { gradient } from "./gradient.ts";
import { hessianVectorProduct, productName, vectorName } from "./hessian-vector-product.ts";

const F32: TensorInfo = { dtype: "f32", shape: [2, 2] };

/** The sum of `relu(x w)`, and beside it a parameter and a statistic that it does not use. */
function network(): { graph: Graph; loss: string } {
  const b = new GraphBuilder("network", 21);
  const hidden = relu(matMul(b.input("x", F32), b.weight("w", F32)));
  b.weight("unused", { dtype: "f32", shape: [3] });
  b.weight("measured", { dtype: "f32", shape: [3] }, "statistic");
  const loss = reduceSum(hidden);
  return { graph: b.build([hidden, loss]), loss: loss.name };
}

/** A graph of which `make` computes the loss. */
function graphOf(make: (b: GraphBuilder, w: Value) => Value) {
  const b = new GraphBuilder("small", 21);
  const loss = make(b, b.weight("w", F32));
  return { graph: b.build([loss]), loss: loss.name };
}

describe("gradient()", () => {
  test("returns outputs, loss and gradients of parameters, under their names", () => {
    const { graph, loss } = network();
    const names = gradient(graph, { loss }).outputs.map(({ name }) => name);
    expect(names).toEqual([
      graph.outputs[0]?.name,
      loss,
      gradientName(loss, "w"),
      gradientName(loss, "unused"),
    ]);
  });

  test("adds the loss where it is no output yet, once", () => {
    const { graph, loss } = network();
    const [hidden] = graph.outputs;
    const result = gradient({ ...graph, outputs: hidden === undefined ? [] : [hidden] }, { loss });
    expect(result.outputs.filter(({ name }) => name === loss)).toHaveLength(1);
  });

  test("keeps the nodes of the graph as they are, in order", () => {
    const { graph, loss } = network();
    const { nodes } = gradient(graph, { loss });
    expect(nodes.slice(0, graph.nodes.length)).toEqual(graph.nodes);
  });

  test("gives every gradient the type of its value", () => {
    const { graph, loss } = network();
    const { outputs } = gradient(graph, { loss, withRespectTo: ["x", "w", "unused"] });
    expect(outputs.slice(-3).map(({ dtype, shape }) => ({ dtype, shape }))).toEqual([
      F32,
      F32,
      { dtype: "f32", shape: [3] },
    ]);
  });

  test("differentiates by a value named twice once", () => {
    const { graph, loss } = network();
    expect(gradient(graph, { loss, withRespectTo: ["w", "w"] }).outputs).toHaveLength(3);
  });

  test("gives the same bytes for the same graph", () => {
    const bytes = () => {
      const { graph, loss } = network();
      return encodeGraph(gradient(graph, { loss }));
    };
    expect(bytes()).toEqual(bytes());
  });

  test("computes no gradient that is not asked for", () => {
    const { graph, loss } = network();
    const count = (op: string, names: string[]) =>
      gradient(graph, { loss, withRespectTo: names }).nodes.filter((node) => node.op === op).length;
    const products = (names: string[]) => count("MatMul", names) + count("Gemm", names);
    expect(products(["unused"])).toBe(1);
    expect(products(["w"])).toBe(2);
    expect(products(["w", "x"])).toBe(3);
  });

  test("names every node and value once, in a second gradient too", () => {
    const { graph, loss } = network();
    const once = gradient(graph, { loss, withRespectTo: ["w"] });
    const b = GraphBuilder.from(once);
    const g = b.value(gradientName(loss, "w"));
    const size = reduceSum(mul(g, g));
    const twice = gradient(b.build([size]), { loss: size.name, withRespectTo: ["w"] });
    for (const names of [
      twice.nodes.map(({ name }) => name),
      [...twice.nodes.flatMap(({ outputs }) => outputs), ...twice.constants.keys(), ...twice.weights.keys()],
    ]) {
      expect(new Set(names).size).toBe(names.length);
    }
  });

  test("passes by branches that the loss follows in steps only, whatever they contain", () => {
    const { graph, loss } = graphOf((b, w) => {
      const [steps] = b.emit("NoRule", [sign(w)], [F32]) as [Value];
      return reduceSum(mul(w, steps));
    });
    expect(() => gradient(graph, { loss })).not.toThrow();
  });

  test("refuses an operator without a rule and names the node", () => {
    const { graph, loss } = graphOf((b, w) =>
      reduceSum(b.emit("Det", [w], [{ dtype: "f32", shape: [] }])[0] as Value),
    );
    expect(() => gradient(graph, { loss })).toThrow(UnsupportedError);
    expect(() => gradient(graph, { loss })).toThrow('node "Det_0" is Det, which has none');
  });

  test("refuses an operator of another domain by its whole name", () => {
    const { graph, loss } = graphOf((b, w) =>
      reduceSum(b.emit("Relu", [w], [F32], { domain: "com.example" })[0] as Value),
    );
    expect(() => gradient(graph, { loss })).toThrow("com.example.Relu");
  });

  test("refuses control flow that captures what to differentiate by", () => {
    const branch: Graph = {
      name: "branch",
      opsets: new Map([["", 21]]),
      inputs: [],
      weights: new Map(),
      constants: new Map(),
      nodes: [{ name: "n", op: "Relu", domain: "", inputs: ["w"], outputs: ["r"], attributes: new Map() }],
      outputs: [{ name: "r" }],
    };
    const { graph, loss } = graphOf((b) => {
      const condition = greater(reduceSum(b.input("x", F32)), 0);
      const attributes = {
        then_branch: { type: "graph", value: branch },
        else_branch: { type: "graph", value: branch },
      } as const;
      return reduceSum(b.emit("If", [condition], [F32], { attributes })[0] as Value);
    });
    expect(() => gradient(graph, { loss })).toThrow(
      'node "If_0" is If, which has none as it is control flow',
    );
  });

  test("refuses a loss that is no number, is no float or is unknown", () => {
    const wide = graphOf((_, w) => relu(w));
    expect(() => gradient(wide.graph, { loss: wide.loss })).toThrow(MismatchError);
    expect(() => gradient(wide.graph, { loss: wide.loss })).toThrow("f32 [2, 2]; reduce it first");
    const truth = graphOf((_, w) => greater(reduceSum(w), 0));
    expect(() => gradient(truth.graph, { loss: truth.loss })).toThrow("is bool []");
    expect(() => gradient(wide.graph, { loss: "nothing" })).toThrow(RangeError);
  });

  test("refuses graphs without a floating-point parameter, and to differentiate by integers or nothing", () => {
    const b = new GraphBuilder("integers", 21);
    b.weight("codes", { dtype: "i64", shape: [2] });
    b.weight("mean", { dtype: "f32", shape: [2] }, "statistic");
    const loss = reduceSum(b.input("x", F32));
    const graph = b.build([loss]);
    const attempt = (withRespectTo?: string[]) => () =>
      gradient(graph, withRespectTo === undefined ? { loss: loss.name } : { loss: loss.name, withRespectTo });
    expect(attempt()).toThrow('"codes" is a parameter of i64, "mean" is a statistic of f32');
    expect(attempt(["codes"])).toThrow("must be floating-point: it is i64");
    expect(attempt([])).toThrow("got none");
    expect(attempt(["nothing"])).toThrow(RangeError);
  });

  test("refuses a graph that is not typed", () => {
    const { graph, loss } = network();
    const { types: _, ...untyped } = graph;
    expect(() => gradient(untyped, { loss })).toThrow("make it typed with specialize");
  });

  test("refuses dropout in training and scatters that multiply", () => {
    const dropout = graphOf((b, w) => {
      const operands = [
        w,
        b.scalar(0.5),
        b.constant({ dtype: "bool", shape: [], data: new Uint8Array([1]) }),
      ];
      return reduceSum(b.emit("Dropout", operands, [F32])[0] as Value);
    });
    expect(() => gradient(dropout.graph, { loss: dropout.loss })).toThrow("in training mode");
    const scatter = graphOf((b, w) => {
      const attributes = { reduction: { type: "string", value: "mul" } } as const;
      const indices = b.numbers([0], "i64", [1, 1]);
      return reduceSum(
        b.emit("ScatterND", [w, indices, add(reduceSum(w, { axes: [0], keepDims: true }), 1)], [F32], {
          attributes,
        })[0] as Value,
      );
    });
    expect(() => gradient(scatter.graph, { loss: scatter.loss })).toThrow('it is "mul"');
  });

  test("refuses a slice whose places are attributes, as operator sets before 10 have them", () => {
    const attributes = { starts: ints([0]), ends: ints([1]) };
    const { graph, loss } = graphOf((b, w) =>
      reduceSum(b.emit("Slice", [w], [{ dtype: "f32", shape: [1, 2] }], { attributes })[0] as Value),
    );
    expect(() => gradient(graph, { loss })).toThrow("of an operator set before 10");
  });
});

describe("hessianVectorProduct()", () => {
  test("takes the vector's parts as data inputs and returns the product's", () => {
    const { graph, loss } = network();
    const product = hessianVectorProduct(graph, { loss });
    expect(product.inputs.map(({ name }) => name)).toEqual(["x", vectorName("w"), vectorName("unused")]);
    expect(product.outputs.map(({ name, shape }) => [name, shape])).toEqual([
      [productName(loss, "w"), [2, 2]],
      [productName(loss, "unused"), [3]],
    ]);
  });

  test("reads the vector in products alone, without copies of it that are weighed by ones", () => {
    const { graph, loss } = graphOf((b, w) => {
      const y = matMul(b.input("x", F32), w);
      return reduceSum(mul(y, y));
    });
    const readers = hessianVectorProduct(graph, { loss }).nodes.filter(({ inputs }) =>
      inputs.includes(vectorName("w")),
    );
    expect(readers.map(({ op }) => op)).toEqual(["Gemm"]);
  });
});
