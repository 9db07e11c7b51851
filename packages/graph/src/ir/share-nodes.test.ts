import { describe, expect, test } from "vitest";
import { GraphBuilder, type Value } from "../builder/graph-builder.ts";
import { add, exp, greater, mul, sub } from "../builder/operators/elementwise.ts";
import { shareNodes } from "./share-nodes.ts";

const TYPE = { dtype: "f32", shape: [2] } as const;

const builder = () => {
  const b = new GraphBuilder("shared", 21);
  return { b, x: b.input("x", TYPE) };
};

describe("shareNodes()", () => {
  test("makes nodes that compute the same one, and what follows from them", () => {
    const { b, x } = builder();
    const graph = b.build([add(mul(exp(x), 2), mul(exp(x), 2))]);
    expect(shareNodes(graph).nodes.map(({ op }) => op)).toEqual(["Exp", "Mul", "Add"]);
  });

  test("keeps nodes apart that differ in operands, their order, or attributes", () => {
    const { b, x } = builder();
    const parts = [sub(x, 1), sub(b.scalar(1), x), exp(x), mul(x, 1), mul(x, 2)];
    const graph = b.build([parts.reduce((total, part) => add(total, part))]);
    expect(shareNodes(graph).nodes).toHaveLength(graph.nodes.length);
  });

  test("makes small constants that are equal one, but not 0 and -0", () => {
    const { b, x } = builder();
    const [zero, twin, negative] = [0, 0, -0].map((value, i) => {
      const tensor = { dtype: "f32", shape: [], data: new Float32Array([value]) } as const;
      return [`c${i}`, tensor] as const;
    });
    const graph = b.build([add(mul(x, 3), mul(x, 4))]);
    const [first, second, last] = graph.nodes;
    const using = (node: typeof first, constant: string) =>
      node === undefined ? [] : [{ ...node, inputs: [node.inputs[0] ?? "", constant] }];
    const sharedWith = (other: NonNullable<typeof twin>) =>
      shareNodes({
        ...graph,
        constants: new Map([zero, other].filter((entry) => entry !== undefined)),
        nodes: [...using(first, "c0"), ...using(second, other[0]), ...(last === undefined ? [] : [last])],
      });
    expect(sharedWith(twin as NonNullable<typeof twin>).nodes).toHaveLength(2);
    expect(sharedWith(negative as NonNullable<typeof twin>).nodes).toHaveLength(3);
  });

  test("keeps outputs by name, and lets others use what they hold", () => {
    const { b, x } = builder();
    const [first, second] = [b.rename(exp(x), "first"), b.rename(exp(x), "second")];
    const shared = shareNodes(b.build([first, second, mul(second, 2)]));
    expect(shared.outputs.map(({ name }) => name).slice(0, 2)).toEqual(["first", "second"]);
    expect(shared.nodes.filter(({ op }) => op === "Exp")).toHaveLength(1);
  });

  test("leaves nodes that are to be kept, and uses them", () => {
    const { b, x } = builder();
    const early = exp(x);
    const again = exp(x);
    const graph = b.build([add(early, mul(again, exp(x)))]);
    const [first, second] = graph.nodes;
    const shared = shareNodes(graph, (node) => node === first || node === second);
    expect(shared.nodes.filter(({ op }) => op === "Exp")).toEqual([first, second]);
  });

  test("does not share what is random", () => {
    const { b } = builder();
    const noise = () => b.emit("RandomNormal", [], [TYPE])[0] as Value;
    const graph = b.build([greater(noise(), noise())]);
    expect(shareNodes(graph).nodes).toHaveLength(3);
  });
});
