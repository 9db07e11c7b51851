import { readFileSync } from "node:fs";
import { DTYPES, type DType, isIsthmusError, type Tensor, toFloat64 } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Graph } from "../ir/graph.ts";
import { type DecodeGraphOptions, decodeGraph } from "./decode-graph.ts";
import { encodeGraph } from "./encode-graph.ts";
import { encodeMessage } from "./encode-message.ts";
import { type GraphProto, MODEL, type ModelProto, type NodeProto, type ValueInfoProto } from "./schema.ts";

const readFixture = (name: string) =>
  readFileSync(new URL(`../../test/fixtures/${name}.onnx`, import.meta.url));
const fixture = (name: string) =>
  readFileSync(new URL(`../../../../test/fixtures/${name}/graph.onnx`, import.meta.url));

const FLOAT = 1;
const INT64 = 7;

function value(name: string, dims: readonly (number | string)[], elemType = FLOAT): ValueInfoProto {
  const dim = dims.map((extent) => (typeof extent === "string" ? { param: extent } : { value: extent }));
  return { name, type: { tensor: { elemType, shape: { dim } } } };
}

/** Decodes a model of one Add of `x` and `w`, but for what is given. */
function decode(graph: GraphProto = {}, options?: DecodeGraphOptions, model: Partial<ModelProto> = {}) {
  const proto: ModelProto = {
    irVersion: 8,
    opsetImport: [{ domain: "", version: 17 }],
    graph: {
      name: "add",
      node: [{ opType: "Add", input: ["x", "w"], output: ["y"] }],
      input: [value("x", ["N", 2]), value("w", [2])],
      output: [{ name: "y" }],
      ...graph,
    },
    ...model,
  };
  return decodeGraph(encodeMessage(MODEL, proto), { source: "a.onnx", ...options });
}

const node = (name: string, input: string[], output: string[]): NodeProto => ({
  name,
  opType: "Relu",
  input,
  output,
});

describe("decodeGraph() of tensors", () => {
  const { graph, weights } = decodeGraph(readFixture("types"));
  const tensor = (name: string): Tensor => (weights.get(name) ?? graph.constants.get(name)) as Tensor;
  const dtypes = Object.keys(DTYPES) as DType[];

  it.each(dtypes)("reads %s the same from raw bytes and from its own field", (dtype) => {
    expect(tensor(`${dtype}.raw`)).toMatchObject({ dtype, shape: [2, 3] });
    expect(tensor(`${dtype}.typed`)).toEqual(tensor(`${dtype}.raw`));
  });

  it.each(dtypes.filter((dtype) => DTYPES[dtype].float))("reads %s numbers", (dtype) => {
    const { data } = tensor(`${dtype}.raw`);
    expect([...toFloat64(data, dtype)]).toEqual([0, -1.5, 2, 448, 0.0625, -0]);
  });

  it("reads the largest and smallest integers exactly", () => {
    const last = (name: string) => tensor(name).data.slice(4);
    expect(last("i64.typed")).toEqual(BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n));
    expect(last("u64.typed").at(-1)).toBe(2n ** 64n - 1n);
    expect(last("u32.typed").at(-1)).toBe(2 ** 32 - 1);
    expect(last("i32.typed")).toEqual(Int32Array.of(-(2 ** 31), 2 ** 31 - 1));
    expect(last("i8.typed")).toEqual(Int8Array.of(100, 127));
  });

  it("makes inputs of floating-point initializers, and constants of whole and single numbers", () => {
    const floats = dtypes.filter((dtype) => DTYPES[dtype].float);
    const whole = dtypes.filter((dtype) => !DTYPES[dtype].float);
    const both = (names: readonly string[]) => names.flatMap((name) => [`${name}.raw`, `${name}.typed`]);
    expect([...weights.keys()]).toEqual(both(floats));
    expect([...graph.weights.keys()]).toEqual(both(floats));
    expect(graph.weights.get("f16.raw")).toEqual({ dtype: "f16", shape: [2, 3], role: "parameter" });
    expect([...graph.constants.keys()].sort()).toEqual([...both(whole), "scalar", "single"].sort());
    expect(graph.inputs.map(({ name }) => name)).toEqual(["x"]);
  });

  it("takes single numbers for weights where an operator has trained operands, behind changes of shape too", () => {
    const numbers = ["bias", "added", "slope", "scale", "epsilon"];
    const matrix = { name: "w", dataType: FLOAT, dims: [2, 1], floatData: [1, 2] };
    const initializer = numbers.map((name) => ({ name, dataType: FLOAT, dims: [1], floatData: [0.5] }));
    const node = [
      { opType: "Gemm", input: ["x", "w", "bias"], output: ["a"] },
      { opType: "MatMul", input: ["x", "w"], output: ["product"] },
      { opType: "Add", input: ["added", "product"], output: ["b"] },
      { opType: "Unsqueeze", input: ["slope"], output: ["lined"] },
      { opType: "PRelu", input: ["b", "lined"], output: ["c"] },
      { opType: "Mul", input: ["c", "scale"], output: ["d"] },
      { opType: "Add", input: ["d", "epsilon"], output: ["y"] },
    ];
    const input = [value("x", ["N", 2])];
    const { graph } = decode({ input, node, initializer: [matrix, ...initializer] });
    expect([...graph.weights.keys()]).toEqual(["w", "bias", "added", "slope"]);
    expect([...graph.constants.keys()]).toEqual(["scale", "epsilon"]);
  });

  it("lets nodes share copies of a tensor under names that an exporter made up, in branches too", () => {
    const tensor = (name: string, ...floatData: number[]) => ({
      name,
      dataType: FLOAT,
      dims: [2],
      floatData,
    });
    const initializer = [
      tensor("own.weight", 1, 2),
      tensor("val_1", 1, 2),
      tensor("val_2", 1, 2),
      tensor("onnx::Add_3", 1, 2),
      tensor("val_4", 1, 3),
      tensor("val_5", 0, 0),
      tensor("val_6", 0, 0),
    ];
    const names = initializer.map(({ name }) => name);
    const body: GraphProto = {
      name: "b",
      node: [{ opType: "Add", input: ["x", "val_2"], output: ["z"] }],
      output: [{ name: "z" }],
    };
    const nodes = [
      { opType: "Sum", input: ["x", ...names], output: ["y"] },
      { opType: "If", input: ["x"], output: ["w"], attribute: [{ name: "then_branch", type: 5, g: body }] },
    ];
    const { graph, weights } = decode({ node: nodes, initializer, input: [value("x", ["N", 2])] });
    expect([...weights.keys()]).toEqual(["own.weight", "val_1", "val_4", "val_5", "val_6"]);
    expect(graph.nodes[0]?.inputs).toEqual([
      "x",
      "own.weight",
      "val_1",
      "val_1",
      "val_1",
      "val_4",
      "val_5",
      "val_6",
    ]);
    expect(graph.nodes[1]?.attributes.get("then_branch")).toMatchObject({
      value: { nodes: [{ inputs: ["x", "val_1"] }] },
    });
  });

  it("takes the default of an input from its initializer", () => {
    const initializer = [{ name: "w", dataType: FLOAT, dims: [2], floatData: [1, 2] }];
    const decoded = decode({ initializer });
    expect(decoded.weights.get("w")?.data).toEqual(Float32Array.of(1, 2));
    expect([...decoded.graph.weights.keys()]).toEqual(["w"]);
  });

  it("keeps the scales of a Resize as constants", () => {
    const initializer = [{ name: "scales", dataType: FLOAT, dims: [2], floatData: [1, 2] }];
    const node = [{ opType: "Resize", input: ["x", "", "scales"], output: ["y"] }];
    const decoded = decode({ initializer, node });
    expect(decoded.weights.size).toBe(0);
    expect([...decoded.graph.constants.keys()]).toEqual(["scales"]);
  });

  it("tells statistics of batch norms from parameters", () => {
    const statistics = [...decodeGraph(fixture("fmnist-cnn")).graph.weights].filter(
      ([, { role }]) => role === "statistic",
    );
    expect(statistics.map(([name]) => name.split(".").at(-1))).toEqual(
      Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? "running_mean" : "running_var")),
    );
  });

  it.each([
    ["has too few elements", { dims: [3], floatData: [1] }, /of shape \[3\] as it needs 3 elements: got 1/],
    ["claims 100 GB in a few bytes", { dims: [25e9], floatData: [1] }, /needs 25000000000 elements: got 1/],
    ["has half an element", { dims: [1], rawData: new Uint8Array(6) }, /whole elements of f32: got 6 bytes/],
    ["has a negative extent", { dims: [-1], floatData: [1] }, /extents must be whole numbers: got \[-1\]/],
    ["has extents beyond all numbers", { dims: [2 ** 53, 2 ** 53], floatData: [] }, /whole numbers/],
  ])("refuses a tensor that %s", (_, proto, message) => {
    const initializer = [{ name: "w", dataType: FLOAT, ...proto }];
    expect(() => decode({ initializer })).toThrow(expect.objectContaining({ _tag: "FormatError" }));
    expect(() => decode({ initializer })).toThrow(message);
  });

  it("refuses text and complex numbers by name", () => {
    for (const dataType of [0, 8, 14, 15, 99]) {
      expect(() => decode({ initializer: [{ name: "w", dataType, dims: [2] }] })).toThrow(
        expect.objectContaining({ _tag: "UnsupportedError", feature: `ONNX type ${dataType}` }),
      );
    }
  });

  it("refuses a tensor stored elsewhere when only bytes were given", () => {
    expect(() => decodeGraph(readFixture("external"))).toThrow(/"external.bin" .* open it by its path/);
  });
});

describe("decodeGraph() of nodes", () => {
  it("reads attributes of every kind", () => {
    const [any] = decodeGraph(readFixture("types")).graph.nodes;
    expect(any).toMatchObject({ domain: "com.example", inputs: ["x", "", "f32.raw"], outputs: ["y", ""] });
    const { graph, ...attributes } = Object.fromEntries(any!.attributes);
    expect(attributes).toEqual({
      float: { type: "float", value: Math.fround(0.1) },
      int: { type: "int", value: 2 ** 63 },
      negative: { type: "int", value: -7 },
      string: { type: "string", value: "päth" },
      tensor: {
        type: "tensor",
        value: { dtype: "i64", shape: [2], data: BigInt64Array.of(3n, -(2n ** 63n)) },
      },
      floats: { type: "floats", value: [0.5, Number.POSITIVE_INFINITY] },
      ints: { type: "ints", value: [-1, 0, 2 ** 63] },
      strings: { type: "strings", value: ["a", ""] },
    });
    expect(graph).toMatchObject({ type: "graph", value: { name: "body", outputs: [{ name: "z" }] } });
  });

  it("names every node", () => {
    const names = decodeGraph(readFixture("types")).graph.nodes.map(({ name }) => name);
    expect(names).toEqual(["any", "Relu:unnamed", "any#2", "any#3"]);
  });

  it("names fifty thousand nodes of one name", () => {
    const nodes = Array.from({ length: 5e4 }, (_, i) => node("n", ["x"], [`y${i}`]));
    const { graph } = decode({ node: nodes, output: [] });
    expect(new Set(graph.nodes.map(({ name }) => name)).size).toBe(5e4);
  });

  it("does not give a node the name that another one made up", () => {
    const nodes = [node("a#2", ["x"], ["p"]), node("a", ["x"], ["q"]), node("a", ["x"], ["y"])];
    expect(decode({ node: nodes }).graph.nodes.map(({ name }) => name)).toEqual(["a#2", "a", "a#3"]);
  });

  it("knows both names of ONNX's own operators", () => {
    const nodes = [{ ...node("n", ["x"], ["y"]), domain: "ai.onnx" }];
    const { graph } = decode({ node: nodes }, {}, { opsetImport: [{ domain: "ai.onnx", version: 18 }] });
    expect([...graph.opsets]).toEqual([["", 18]]);
    expect(graph.nodes[0]?.domain).toBe("");
  });

  it("reads what was exported in training as it is outside", () => {
    const training = { name: "training_mode", type: 2, i: 1 };
    const vectors = ["scale", "bias", "mean", "variance"];
    const nodes = [
      {
        opType: "BatchNormalization",
        input: ["x", ...vectors],
        output: ["a", "new_mean", "new_variance"],
        attribute: [training],
      },
      { opType: "Dropout", input: ["a", "ratio", "training"], output: ["y", "mask"] },
    ];
    const initializer = vectors.map((name) => ({ name, dataType: FLOAT, dims: [2], floatData: [1, 2] }));
    const flags = [
      { name: "ratio", dataType: FLOAT, dims: [], floatData: [0.5] },
      { name: "training", dataType: 9, dims: [], int32Data: [1] },
    ];
    const input = [value("x", ["N", 2])];
    const { graph } = decode({ node: nodes, input, initializer: [...initializer, ...flags] });
    expect(graph.nodes).toMatchObject([
      { inputs: ["x", ...vectors], outputs: ["a"], attributes: new Map() },
      { inputs: ["a", "ratio"], outputs: ["y", "mask"] },
    ]);
    const reads = decode({
      node: nodes,
      input,
      initializer: [...initializer, ...flags],
      output: [{ name: "new_mean" }],
    });
    expect(reads.graph.nodes[0]?.outputs).toHaveLength(3);
  });

  it("refuses attributes of kinds that no file of today has", () => {
    const nodes = [{ ...node("n", ["x"], ["y"]), attribute: [{ name: "sparse", type: 11 }] }];
    expect(() => decode({ node: nodes })).toThrow(/attribute "sparse" of "a.onnx" .* got type 11/);
  });
});

describe("decodeGraph() of inputs", () => {
  const names = ({ graph }: { graph: Graph }) => ({
    inputs: graph.inputs.map(({ name }) => name),
    weights: [...graph.weights.keys()],
  });

  it("takes inputs with a symbolic extent for data", () => {
    expect(names(decode())).toEqual({ inputs: ["x"], weights: ["w"] });
  });

  it("takes inputs of integers for data", () => {
    const input = [value("w", [2]), value("x", [1, 2], INT64)];
    expect(names(decode({ input }))).toEqual({ inputs: ["x"], weights: ["w"] });
  });

  it("takes the first input for data where all have fixed extents", () => {
    const input = [value("x", [1, 2]), value("w", [2])];
    expect(names(decode({ input }))).toEqual({ inputs: ["x"], weights: ["w"] });
  });

  it("takes inputs beside as many weights that the file carries for data, whatever their extents", () => {
    const initializer = ["w", "v"].map((name) => ({ name, dataType: FLOAT, dims: [2], floatData: [1, 2] }));
    const node = [{ opType: "Sum", input: ["x", "z", "w", "v"], output: ["y"] }];
    for (const extent of ["N", 1]) {
      const input = [value("x", [extent, 2]), value("z", [1, 2])];
      expect(names(decode({ input, initializer, node }))).toEqual({
        inputs: ["x", "z"],
        weights: ["w", "v"],
      });
    }
  });

  it("takes inputs beside a few tables for weights", () => {
    const initializer = [{ name: "table", dataType: FLOAT, dims: [2], floatData: [1, 2] }];
    const node = [{ opType: "Sum", input: ["x", "w", "v", "table"], output: ["y"] }];
    const input = [value("x", ["N", 2]), value("w", [2]), value("v", [2])];
    expect(names(decode({ input, initializer, node }))).toEqual({
      inputs: ["x"],
      weights: ["w", "v", "table"],
    });
  });

  it("takes the inputs it is told", () => {
    expect(names(decode({ input: [value("w", [2]), value("x", [1, 2])] }, { inputs: ["x"] }))).toEqual({
      inputs: ["x"],
      weights: ["w"],
    });
  });

  it("takes an extent of -1 for a symbolic one", () => {
    const { graph } = decode({ input: [value("x", [-1, 2]), value("w", [2])] });
    expect(graph.inputs[0]?.shape).toEqual(["d0", 2]);
  });

  it("refuses to take for data what is not an input", () => {
    expect(() => decode({}, { inputs: ["z"] })).toThrow(/"z" .* they are x, w/);
  });

  it.each([
    ["states no type", [value("x", ["N", 2]), { name: "w" }]],
    ["has a symbolic extent", [value("x", ["N", 2]), value("w", ["M"])]],
    ["is text", [value("x", ["N", 2]), value("w", [2], 8)]],
  ])("refuses a weight that %s", (_, input) => {
    expect(() => decode({ input }, { inputs: ["x"] })).toThrow(/weight "w" must state its element type/);
  });

  it("does not allocate a weight of 100 GB", () => {
    const { graph } = decode({ input: [value("x", ["N", 2]), value("w", [1e6, 25e3])] });
    expect(graph.weights.get("w")?.shape).toEqual([1e6, 25e3]);
  });
});

describe("decodeGraph() of connections", () => {
  it.each([
    ["a value that nothing computes", { node: [node("n", ["z"], ["y"])] }, /node "n" needs value "z"/],
    [
      "a value before it is computed",
      { node: [node("n", ["z"], ["y"]), node("m", ["x"], ["z"])] },
      /node "n" needs value "z"/,
    ],
    ["an output that nothing computes", { output: [{ name: "z" }] }, /no node computes its output "z"/],
    [
      "two nodes with one output",
      { node: [node("n", ["x"], ["y"]), node("m", ["x"], ["y"])] },
      /"y" must stand for one value/,
    ],
    ["a node that redefines a weight", { node: [node("n", ["x"], ["w"])] }, /"w" must stand for one value/],
    [
      "two inputs of one name",
      { input: [value("x", ["N"]), value("w", [2]), value("w", [2])] },
      /"w" must stand for one value/,
    ],
    [
      "two initializers of one name",
      { initializer: [0, 1].map((v) => ({ name: "w", dataType: FLOAT, dims: [1], floatData: [v] })) },
      /"w" is there twice/,
    ],
  ])("refuses %s", (_, graph, message) => {
    expect(() => decode(graph)).toThrow(message);
    expect(() => decode(graph)).toThrow(expect.objectContaining({ _tag: "FormatError" }));
  });

  it("lets branches use values around them", () => {
    const { graph } = decodeGraph(readFixture("branches"));
    expect([...graph.weights.keys()]).toEqual(["w", "u"]);
    const branches = [...(graph.nodes.at(-1)?.attributes.keys() ?? [])];
    expect(branches.sort()).toEqual(["else_branch", "then_branch"]);
  });

  it("refuses a branch that uses an unknown value", () => {
    const body: GraphProto = {
      name: "b",
      node: [node("inner", ["nothing"], ["z"])],
      output: [{ name: "z" }],
    };
    const branch = { ...node("outer", ["x"], ["y"]), attribute: [{ name: "then_branch", type: 5, g: body }] };
    expect(() => decode({ node: [branch] })).toThrow(/node "inner" needs value "nothing"/);
  });

  it("refuses a graph that only names itself", () => {
    expect(() => decode({ node: [] })).toThrow(/it has no graph with nodes/);
    expect(() => decodeGraph(new Uint8Array())).toThrow(/as it must be an ONNX model: it is empty/);
  });

  it("refuses axes that are longer, and more of them, than any real tensor has", () => {
    for (const [name, dims] of [
      ["w", [512, 2 ** 31]],
      ["w", [2 ** 53 - 1]],
      ["w", Array(65).fill(1)],
      ["w", Array(100_000).fill(1)],
      ["x", ["N", 2 ** 31]],
    ] as const) {
      const other = name === "w" ? value("x", ["N", 2]) : value("w", [2]);
      const input = [value(name, dims), other];
      expect(() => decode({ input })).toThrow(
        /as a tensor may have at most 64 axes of extents up to 268435456: "/,
      );
    }
    expect(decode({ input: [value("x", ["N", 2]), value("w", [2 ** 28])] }).graph.weights.size).toBe(1);
  });

  it("refuses a model of more parts than any real one has", () => {
    // A field of an empty node in two bytes: each would become an object.
    const nodes = Buffer.alloc(2_200_000);
    for (let at = 0; at < nodes.length; at += 2) nodes[at] = 0x0a;
    const length = [0xff & (nodes.length | 0x80), 0xff & ((nodes.length >> 7) | 0x80)];
    const rest = [0xff & ((nodes.length >> 14) | 0x80), nodes.length >> 21];
    const bytes = Buffer.concat([Buffer.from([0x3a, ...length, ...rest]), nodes]);
    expect(() => decodeGraph(bytes)).toThrow(
      /as it must be an ONNX model: its bytes are not: .* 1000000 parts/,
    );
  });

  it("refuses sparse weights, saying what to do", () => {
    expect(() => decode({ sparseInitializer: [new Uint8Array([1])] })).toThrow(/sparse initializers/);
  });
});

describe("decodeGraph() of damaged bytes", () => {
  /** Fails unless bytes decode or are refused with an error of ours. */
  function survives(bytes: Uint8Array): boolean {
    try {
      decodeGraph(bytes);
      return true;
    } catch (error) {
      if (isIsthmusError(error, "FormatError", "UnsupportedError")) return false;
      throw error;
    }
  }

  it("refuses every truncation", () => {
    const bytes = readFixture("types");
    for (let length = 0; length < bytes.length; length++) survives(bytes.subarray(0, length));
    expect(survives(bytes.subarray(0, bytes.length >> 1))).toBe(false);
  });

  it("refuses noise", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void survives(bytes)),
      { numRuns: 300 },
    );
  });

  it.each(["types", "branches", "loop", "external", "functions"])(
    "survives changed bytes of %s.onnx",
    (name) => {
      const bytes = readFixture(name);
      const change = fc.tuple(fc.nat({ max: bytes.length - 1 }), fc.nat({ max: 255 }));
      fc.assert(
        fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
          const damaged = Uint8Array.from(bytes);
          for (const [at, byte] of changes) damaged[at] = byte;
          survives(damaged);
        }),
        { numRuns: 400 },
      );
    },
  );

  it("refuses nesting that could exhaust the stack", () => {
    let graph: Graph = decode().graph;
    for (let depth = 0; depth < 30; depth++) {
      const outer = {
        ...graph.nodes[0]!,
        attributes: new Map([["body", { type: "graph" as const, value: graph }]]),
      };
      graph = { ...graph, nodes: [outer] };
    }
    expect(() => decodeGraph(encodeGraph(graph))).toThrow(/nesting must not exceed 64 levels/);
    // Field 100 as groups within groups, which have no length to check.
    const groups = new Uint8Array(2e6).map((_, i) => (i % 2 === 0 ? 0xa3 : 0x06));
    expect(survives(groups)).toBe(false);
  });

  it("refuses a field of another kind than it must be", () => {
    // The graph, field 7, as a number instead of a message.
    expect(() => decodeGraph(Uint8Array.of(0x38, 0x01))).toThrow(
      /field "graph" as its wire type must be 2: it is 0/,
    );
  });
});
