import { isIsthmusError } from "@isthmus/core";
import { describe, expect, it } from "vitest";
import { inlineFunctions } from "./inline-functions.ts";
import type { FunctionProto, ModelProto, NodeProto } from "./schema.ts";

const call = (opType: string, input: string[], output: string[], more: NodeProto = {}): NodeProto => ({
  opType,
  domain: "local",
  input,
  output,
  ...more,
});

const opsetImport = [{ domain: "", version: 20 }];

const relu: FunctionProto = {
  name: "Twice",
  domain: "local",
  input: ["a", "b"],
  output: ["c", "a", "d"],
  opsetImport,
  node: [
    { name: "inner", opType: "Relu", input: ["a"], output: ["t"] },
    { opType: "Add", input: ["t", "b"], output: ["c"] },
    { opType: "Neg", input: ["t"], output: ["d"] },
  ],
};

function inline(node: NodeProto[], functions: FunctionProto[], model: ModelProto = {}): NodeProto[] {
  const proto = { opsetImport: [...opsetImport, { domain: "local", version: 1 }], ...model };
  return inlineFunctions({ ...proto, graph: { node }, functions }, "a.onnx").graph?.node ?? [];
}

const plain = (nodes: readonly NodeProto[]) =>
  nodes.map(({ opType, input, output }) => [opType, input, output]);

describe("inlineFunctions()", () => {
  it("gives each call values of its own", () => {
    const nodes = [
      call("Twice", ["x", "y"], ["u"], { name: "one" }),
      call("Twice", ["u", "y"], ["v"], { name: "two" }),
    ];
    const [first, second] = ["one", "two"];
    expect(plain(inline(nodes, [relu]))).toEqual([
      ["Relu", ["x"], [`${first}/t`]],
      ["Add", [`${first}/t`, "y"], ["u"]],
      ["Neg", [`${first}/t`], [`${first}/d`]],
      ["Relu", ["u"], [`${second}/t`]],
      ["Add", [`${second}/t`, "y"], ["v"]],
      ["Neg", [`${second}/t`], [`${second}/d`]],
    ]);
  });

  it("tells calls without names, and of the same name, apart", () => {
    const nodes = [call("Twice", ["x", "y"], ["", "", "p"]), call("Twice", ["x", "y"], ["", "", "q"])];
    const made = inline(nodes, [relu]).flatMap(({ output }) => output ?? []);
    expect(new Set(made).size).toBe(made.length);
  });

  it("returns what a function is given, and leaves out what a call leaves out", () => {
    expect(plain(inline([call("Twice", ["x", ""], ["", "same", "d"])], [relu]))).toEqual([
      ["Relu", ["x"], ["Twice:/t"]],
      ["Add", ["Twice:/t", ""], ["Twice:/c"]],
      ["Neg", ["Twice:/t"], ["d"]],
      ["Identity", ["x"], ["same"]],
    ]);
  });

  it("takes attributes from the call, else the default, else none", () => {
    const leaky: FunctionProto = {
      name: "Leaky",
      domain: "local",
      input: ["a"],
      output: ["b"],
      attributeProto: [{ name: "slope", type: 1, f: 0.25 }],
      node: [
        {
          opType: "LeakyRelu",
          input: ["a"],
          output: ["b"],
          attribute: [
            { name: "alpha", type: 1, refAttrName: "slope" },
            { name: "other", type: 2, refAttrName: "missing" },
          ],
        },
      ],
    };
    const withSlope = call("Leaky", ["x"], ["y"], { attribute: [{ name: "slope", type: 1, f: 0.5 }] });
    const [changed, standard] = inline([withSlope, call("Leaky", ["y"], ["z"])], [leaky]);
    expect(changed?.attribute).toEqual([{ name: "alpha", type: 1, f: 0.5 }]);
    expect(standard?.attribute).toEqual([{ name: "alpha", type: 1, f: 0.25 }]);
  });

  it("tells functions of one name apart by their overload", () => {
    const of = (overload: string, opType: string): FunctionProto => ({
      name: "F",
      domain: "local",
      overload,
      input: ["a"],
      output: ["b"],
      node: [{ opType, input: ["a"], output: ["b"] }],
    });
    const nodes = [call("F", ["x"], ["y"], { overload: "n" }), call("F", ["y"], ["z"])];
    expect(plain(inline(nodes, [of("", "Abs"), of("n", "Neg")]))).toEqual([
      ["Neg", ["x"], ["y"]],
      ["Abs", ["y"], ["z"]],
    ]);
  });

  it("adds operator sets that only functions use, and drops those that functions make up", () => {
    const imported = { ...relu, opsetImport: [...opsetImport, { domain: "com.example", version: 3 }] };
    const model = {
      opsetImport: [...opsetImport, { domain: "local", version: 1 }],
      graph: {},
      functions: [imported],
    };
    expect(inlineFunctions(model, "a.onnx").opsetImport).toEqual([
      { domain: "", version: 20 },
      { domain: "com.example", version: 3 },
    ]);
  });

  it("refuses functions for another version of an operator set", () => {
    const older = { ...relu, opsetImport: [{ domain: "", version: 13 }] };
    expect(() => inline([call("Twice", ["x", "y"], ["z"])], [older])).toThrow(
      '"Twice" is for version 13 of ai.onnx, the model for 20; export it again without functions',
    );
  });

  const loop = (times: number): FunctionProto => ({
    name: "F",
    domain: "local",
    input: ["a"],
    output: ["b"],
    node: Array.from({ length: times }, (_, i) => call("F", ["a"], [i === 0 ? "b" : `c${i}`])),
  });

  it.each([
    ["in a circle", 1, /must not call each other in a circle: "F"/],
    ["by more than memory holds", 2, /in a circle|at most 262144 nodes/],
  ])("refuses functions that call each other %s", (_, times, message) => {
    let error: unknown;
    try {
      inline([call("F", ["x"], ["y"])], [loop(times)]);
    } catch (thrown) {
      error = thrown;
    }
    expect(isIsthmusError(error, "FormatError")).toBe(true);
    expect((error as Error).message).toMatch(message);
  });

  it("refuses functions that expand to more nodes than memory holds", () => {
    const names = Array.from({ length: 25 }, (_, i) => `F${i}`);
    const functions = names.map(
      (name, i): FunctionProto => ({
        name,
        domain: "local",
        input: ["a"],
        output: ["b"],
        node: ["b", "c"].map((output) =>
          i === 24 ? { opType: "Neg", input: ["a"], output: [output] } : call(`F${i + 1}`, ["a"], [output]),
        ),
      }),
    );
    expect(() => inline([call("F0", ["x"], ["y"])], functions)).toThrow(/at most 262144 nodes/);
  });
});
