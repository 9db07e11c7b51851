import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { discoverSymmetries } from "@isthmus/symmetry";
import { describe, expect, test } from "vitest";
import { sizesOf } from "../../../test/helpers/examine-symmetries.ts";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";

const GATES = { RNN: 1, GRU: 3, LSTM: 4 } as const;
type Kind = keyof typeof GATES;

/** Steps of every sequence. */
const STEPS = 3;

interface Layer {
  readonly op: Kind;
  readonly name: string;
  readonly from: number;
  readonly units: number;
  readonly directions?: 1 | 2;
  /** Names of states, lengths and peepholes, where they are given. */
  readonly states?: readonly string[];
  readonly lengths?: string;
  readonly peepholes?: string;
}

/** A recurrent layer on `x [T, N, from]`: all states `[T, N, d * units]`, and the last ones `[d, N, units]`. */
function recur(b: GraphBuilder, x: string, layer: Layer): { all: string; last: string[] } {
  const { op, name, from, units, directions = 1, states = [], lengths = "", peepholes } = layer;
  const weight = (part: string, ...shape: number[]): string =>
    b.weight(`${name}.${part}`, [directions, ...shape]);
  const rows = GATES[op] * units;
  const inputs = [x, weight("w", rows, from), weight("r", rows, units), weight("b", 2 * rows), lengths];
  const [first = "", second = ""] = states;
  const rest = op === "LSTM" ? [second, ...(peepholes === undefined ? [] : [peepholes])] : [];
  const [y = "", ...last] = b.ops(op, [...inputs, first, ...rest], op === "LSTM" ? 3 : 2, {
    hidden_size: units,
    direction: directions === 2 ? "bidirectional" : "forward",
  });
  return { all: b.reshape(b.transpose(y, 0, 2, 1, 3), 0, 0, directions * units), last };
}

/** Time before the batch, of an input `[N, T, 4]` that is embedded in `[T, N, 5]`. */
function embedded(b: GraphBuilder): string {
  return b.transpose(b.linear(b.input("x", [STEPS, 4]), "embed", 4, 5), 1, 0, 2);
}

/** The graph of a last linear layer, the batch put back in front. */
function read(b: GraphBuilder, all: string, width: number) {
  return b.output(b.transpose(b.linear(all, "head", width, 2), 1, 0, 2)).build();
}

describe.each(["RNN", "GRU", "LSTM"] as const)("%s", (op) => {
  test("discoverSymmetries() finds hidden units through a chain of layers", async () => {
    const b = new GraphBuilder();
    const first = recur(b, embedded(b), { op, name: "a", from: 5, units: 6 });
    const second = recur(b, first.all, { op, name: "b", from: 6, units: 7 });
    expect(await sizesOf(read(b, second.all, 7))).toEqual(["5", "6", "7"]);
  });

  test("discoverSymmetries() finds units of each direction by themselves", async () => {
    const b = new GraphBuilder();
    const first = recur(b, embedded(b), { op, name: "a", from: 5, units: 6, directions: 2 });
    const second = recur(b, first.all, { op, name: "b", from: 12, units: 4, directions: 2 });
    expect(await sizesOf(read(b, second.all, 8))).toEqual(["4", "4", "5", "6", "6"]);
  });

  test("discoverSymmetries() follows the last states of each direction", async () => {
    const b = new GraphBuilder();
    const { last } = recur(b, embedded(b), { op, name: "a", from: 5, units: 6, directions: 2 });
    const [forward, backward] = [0, 1].map((d) =>
      b.op("Gather", [last[0] ?? "", b.constant([d], [], true)], { axis: 0 }),
    );
    const sum = b.op("Add", [b.linear(forward ?? "", "f", 6, 7), b.linear(backward ?? "", "r", 6, 7)]);
    const graph = b.output(b.linear(b.op("Relu", [sum]), "head", 7, 2)).build();
    expect(await sizesOf(graph)).toEqual(["5", "6", "6", "7"]);
  });

  test("discoverSymmetries() ties the layer that starts from the states of another to it", async () => {
    const b = new GraphBuilder();
    const x = embedded(b);
    const first = recur(b, x, { op, name: "a", from: 5, units: 6 });
    const second = recur(b, x, { op, name: "b", from: 5, units: 6, states: first.last });
    expect(await sizesOf(read(b, b.op("Concat", [first.all, second.all], { axis: 2 }), 12))).toEqual([
      "5",
      "6",
    ]);
  });

  test("discoverSymmetries() moves learned states with their units, in each direction", async () => {
    const b = new GraphBuilder();
    const states = ["hidden", "cell"].map((name) =>
      b.op("Expand", [b.weight(name, [2, 1, 6]), b.ints(2, 2, 6)]),
    );
    const { all } = recur(b, embedded(b), { op, name: "a", from: 5, units: 6, directions: 2, states });
    const graph = {
      ...read(b, all, 12),
      inputs: [{ name: "x", dtype: "f32", shape: [2, STEPS, 4] } as const],
    };
    expect(await sizesOf(graph)).toEqual(["5", "6", "6"]);
  });

  test("discoverSymmetries() moves no unit whose first state comes from outside", async () => {
    const b = new GraphBuilder();
    const given = b.transpose(b.input("h", [1, 6]), 1, 0, 2);
    const { all } = recur(b, embedded(b), { op, name: "a", from: 5, units: 6, states: [given] });
    expect(await sizesOf(read(b, all, 6))).toEqual(["5"]);
  });

  test("discoverSymmetries() moves units of sequences of several lengths", async () => {
    const b = new GraphBuilder();
    const lengths = b.op("Cast", [b.ints(3, 1)], { to: 6 });
    const { all, last } = recur(b, embedded(b), { op, name: "a", from: 5, units: 6, lengths });
    expect(await sizesOf(read(b, b.op("Add", [all, last[0] ?? ""]), 6))).toEqual(["5", "6"]);
  });

  test("discoverSymmetries() freezes what lies along time, in the order of which states follow", async () => {
    const b = new GraphBuilder();
    const mixed = b.op("MatMul", [b.weight("mix", [7, STEPS]), b.input("x", [STEPS, 4])]);
    const { all } = recur(b, b.transpose(mixed, 1, 0, 2), { op, name: "a", from: 4, units: 6 });
    const pooled = b.op("ReduceMax", [all], { axes: [0], keepdims: 0 });
    const graph = b.output(b.linear(pooled, "head", 6, 2)).build();
    expect(await sizesOf(graph)).toEqual(["6"]);
  });
});

describe("LSTM", () => {
  test("discoverSymmetries() moves peepholes with their units", async () => {
    const b = new GraphBuilder();
    const peepholes = b.weight("a.p", [2, 3 * 6]);
    const { all } = recur(b, embedded(b), {
      op: "LSTM",
      name: "a",
      from: 5,
      units: 6,
      directions: 2,
      peepholes,
    });
    expect(await sizesOf(read(b, all, 12))).toEqual(["5", "6", "6"]);
  });
});

describe("a recurrent layer with the batch first", () => {
  test("discoverSymmetries() says that the engine must run it", async () => {
    const b = new GraphBuilder();
    const inputs = [b.input("x", [STEPS, 4]), b.weight("w", [1, 6, 4]), b.weight("r", [1, 6, 6])];
    const [y = ""] = b.ops("RNN", inputs, 2, { hidden_size: 6, layout: 1 });
    await expect(
      discoverSymmetries({ graph: b.output(y).build(), engine: createOnnxRuntimeEngine() }),
    ).rejects.toThrow(/layout/);
  });
});

describe("weights that are stacked", () => {
  test("discoverSymmetries() finds the units of each expert by themselves, and experts in their order", async () => {
    const b = new GraphBuilder();
    const x = b.linear(b.input("x", [4]), "embed", 4, 5);
    const stacked = (name: string, shape: readonly number[]): string => {
      const parts = [0, 1, 2].map((i) => b.op("Unsqueeze", [b.weight(`${name}.${i}`, shape), b.ints(0)]));
      return b.op("Concat", parts, { axis: 0 });
    };
    const each = b.op("MatMul", [
      b.op("Relu", [b.op("MatMul", [x, stacked("up", [5, 7])])]),
      stacked("down", [7, 2]),
    ]);
    const share = b.transpose(b.op("Softmax", [b.linear(x, "router", 5, 3)], { axis: -1 }), 1, 0);
    const mixed = b.op("Mul", [each, b.op("Unsqueeze", [share, b.ints(2)])]);
    const graph = b.output(b.op("ReduceSum", [mixed, b.ints(0)], { keepdims: 0 })).build();
    expect(await sizesOf(graph)).toEqual(["5", "7", "7", "7"]);
  });
});
