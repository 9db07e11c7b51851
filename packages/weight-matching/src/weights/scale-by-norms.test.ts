import { type Checkpoint, createCheckpoint, type Tensor } from "@isthmus/core";
import type { Attribute, Graph, Node } from "@isthmus/graph";
import { describe, expect, it } from "vitest";
import { scaleByNorms } from "./scale-by-norms.ts";

const EPSILON = 1e-5;

function node(
  op: string,
  inputs: readonly string[],
  output: string,
  attributes: Record<string, Attribute> = {},
): Node {
  return {
    name: output,
    op,
    domain: "",
    inputs,
    outputs: [output],
    attributes: new Map(Object.entries(attributes)),
  };
}

const norm = (x: string, output = "n"): Node =>
  node("BatchNormalization", [x, "scale", "bias", "mean", "var"], output);
const conv = node("Conv", ["x", "w"], "c");

const SHAPES = { w: [2, 3, 1, 1], v: [2, 3], scale: [2], bias: [2], mean: [2], var: [2] };

function graphOf(
  nodes: readonly Node[],
  weights: readonly (keyof typeof SHAPES)[] = ["w", "v", "scale", "bias", "mean", "var"],
): Graph {
  return {
    name: "g",
    opsets: new Map([["", 17]]),
    inputs: [{ name: "x" }],
    weights: new Map(weights.map((name) => [name, { dtype: "f32", shape: SHAPES[name], role: "parameter" }])),
    constants: new Map(),
    nodes,
    outputs: [{ name: nodes.at(-1)?.outputs[0] ?? "" }],
  };
}

const f32 = (...values: number[]): Tensor => ({
  dtype: "f32",
  shape: [values.length],
  data: Float32Array.from(values),
});

function network(changed: Record<string, Tensor> = {}): Checkpoint {
  const tensors = { w: f32(1, 2, 3, 4, 5, 6), v: f32(1, 2, 3, 4, 5, 6), scale: f32(2, -3), bias: f32(0, 0) };
  return createCheckpoint({ ...tensors, mean: f32(7, 8), var: f32(4, 0.25), ...changed }, {}, "net.pt");
}

const scaledNames = async (graph: Graph) => [...(await scaleByNorms(graph, network())).keys()];

describe("scaleByNorms()", () => {
  it("multiplies each channel of a weight by what its norm does", async () => {
    const scaled = await scaleByNorms(graphOf([conv, norm("c")]), network());
    const factors = [2 / Math.sqrt(4 + EPSILON), -3 / Math.sqrt(0.25 + EPSILON)];
    const expected = [1, 2, 3, 4, 5, 6].map((value, i) => Math.fround(value * factors[i < 3 ? 0 : 1]!));
    expect([...(scaled.get("w") ?? [])]).toEqual(expected);
    expect([...(scaled.get("scale") ?? [])]).toEqual([0, 0]);
    expect([...scaled.keys()]).toEqual(["w", "scale"]);
  });

  it("takes epsilon from the norm", async () => {
    const attributes = new Map([["epsilon", { type: "float" as const, value: 5 }]]);
    const scaled = await scaleByNorms(graphOf([conv, { ...norm("c"), attributes }]), network());
    expect(scaled.get("w")?.[0]).toBeCloseTo(2 / 3, 7);
  });

  it("does not see how large a layer is that a norm follows", async () => {
    const graph = graphOf([conv, norm("c")]);
    const size = 2 ** 20;
    const large = network({
      w: f32(...[1, 2, 3].map((value) => value * 8), ...[4, 5, 6].map((value) => value * size)),
      var: f32(4 * 8 ** 2, 0.25 * size ** 2),
    });
    const [one, other] = [await scaleByNorms(graph, network()), await scaleByNorms(graph, large)];
    for (const [name, values] of one) {
      // Epsilon counts less beside a larger variance: by half of 1e-5 / 0.25 at most.
      values.forEach((value, i) => {
        expect(Math.abs((other.get(name)?.[i] ?? 0) - value)).toBeLessThanOrEqual(Math.abs(value) * 3e-5);
      });
    }
  });

  it("scales linear layers whose rows are outputs, and no others", async () => {
    const gemm = (transB: number) =>
      node("Gemm", ["x", "v", "bias"], "g", { transB: { type: "int", value: transB } });
    const bare = { ...norm("g"), inputs: ["g", "scale", "", "mean", "var"] };
    expect(await scaledNames(graphOf([gemm(1), bare]))).toEqual(["v", "bias", "scale"]);
    expect(await scaledNames(graphOf([gemm(0), bare]))).toEqual([]);
    expect(await scaledNames(graphOf([node("MatMul", ["x", "v"], "g"), bare]))).toEqual([]);
  });

  it("scales a bias with its weight, if it has one for each channel and of its own", async () => {
    const biased = (bias: string) => node("Conv", ["x", "w", bias], "c");
    const bare = { ...norm("c"), inputs: ["c", "scale", "", "mean", "var"] };
    const scaled = await scaleByNorms(graphOf([biased("bias"), bare]), network({ bias: f32(3, 5) }));
    expect([...(scaled.get("bias") ?? [])]).toEqual(
      [6 / Math.sqrt(4 + EPSILON), -15 / Math.sqrt(0.25 + EPSILON)].map(Math.fround),
    );
    expect(await scaledNames(graphOf([biased("bias"), norm("c")]))).toEqual(["w", "scale"]);
    expect(await scaledNames(graphOf([biased("v"), bare]))).toEqual(["w", "scale"]);
  });

  it.each<[string, Node[]]>([
    ["whose output others use too", [conv, norm("c"), node("Add", ["c", "n"], "y")]],
    ["that is used twice", [conv, norm("c"), node("Conv", ["n", "w"], "y")]],
    ["behind something else", [conv, node("Relu", ["c"], "r"), norm("r")]],
    ["whose norm shares its scale", [conv, norm("c"), node("Mul", ["n", "scale"], "y")]],
  ])("leaves a layer alone %s", async (_, nodes) => {
    expect(await scaledNames(graphOf(nodes))).toEqual([]);
  });

  it("leaves a layer alone whose output is an output of the graph", async () => {
    const graph = graphOf([conv, norm("c")]);
    expect(await scaledNames({ ...graph, outputs: [{ name: "n" }, { name: "c" }] })).toEqual([]);
  });

  it("leaves norms alone whose statistics are not weights", async () => {
    expect(await scaledNames(graphOf([conv, norm("c")], ["w", "scale", "bias", "mean"]))).toEqual([]);
  });

  it.each([
    ["w", f32(1, Number.NaN, 3, 4, 5, 6), /"w" of "net.pt" .* 1 of 6 is NaN, the first at element 1/],
    ["scale", f32(1, Number.POSITIVE_INFINITY), /"scale" .* 1 of 2 is infinite, the first at element 1/],
    ["var", f32(Number.NaN, 1), /"var" .* 1 of 2 is NaN, the first at element 0/],
    ["var", f32(1, -1), /"var" .* must not be negative: element 1 is -1/],
  ])("names a bad %s", async (name, tensor, message) => {
    const run = scaleByNorms(graphOf([conv, norm("c")]), network({ [name]: tensor }));
    await expect(run).rejects.toMatchObject({ _tag: "InputError", input: "net.pt" });
    await expect(run).rejects.toThrow(message);
  });

  it("names variances of another number than scales", async () => {
    const run = scaleByNorms(graphOf([conv, norm("c")]), network({ var: f32(1) }));
    await expect(run).rejects.toMatchObject({ _tag: "MismatchError", parameters: ["scale", "var"] });
  });
});
