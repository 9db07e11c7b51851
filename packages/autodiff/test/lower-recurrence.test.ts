import { gradient } from "@isthmus/autodiff";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type Attribute, type Graph, specialize } from "@isthmus/graph";
import { GraphBuilder, mul, reduceSum, type Value } from "@isthmus/graph/builder";
import { int } from "@isthmus/graph/ir";
import { describe, expect, test } from "vitest";
import { expectClose } from "../../../test/helpers/expect-close.ts";
import { graphOfCase, type OperatorCase } from "../../../test/helpers/operator-cases/draw.ts";
import { RECURRENT } from "../../../test/helpers/operator-cases/recurrent.ts";
import { runGraph } from "../../../test/helpers/run-graph.ts";
import { isRecurrent, lowerRecurrence } from "../src/lower/lower-recurrence.ts";

const engine = createOnnxRuntimeEngine();

/** The case as a graph with the types of its values. */
async function typed(given: OperatorCase, seed: number) {
  const { graph, feeds } = graphOfCase(given, seed);
  return { graph: await specialize({ graph, engine }, { batch: 1 }), feeds };
}

describe("lowerRecurrence()", () => {
  test.each(RECURRENT.map((each) => [`${each.op} ${each.detail ?? ""}`, each] as const))(
    "lowerRecurrence() computes %s as onnxruntime does",
    async (_, each) => {
      for (let seed = 0; seed < 6; seed++) {
        const { graph, feeds } = await typed(each, seed);
        const lowered = lowerRecurrence(graph);
        expect(lowered.nodes.some(isRecurrent)).toBe(false);
        const [expected, results] = [await runGraph(graph, feeds), await runGraph(lowered, feeds)];
        expect([...results.keys()]).toEqual([...expected.keys()]);
        for (const [name, tensor] of expected) expectClose(results.get(name), tensor, 1e-5);
      }
    },
  );
});

describe("lowerRecurrence() of what it does not know", () => {
  const [plain] = RECURRENT.filter(({ op }) => op === "LSTM");

  async function withAttributes(attributes: Readonly<Record<string, Attribute>>): Promise<Graph> {
    const { graph } = await typed(plain as OperatorCase, 0);
    const nodes = graph.nodes.map((node) => ({
      ...node,
      attributes: new Map([...node.attributes, ...Object.entries(attributes)]),
    }));
    return { ...graph, nodes };
  }

  test.each<[string, Record<string, Attribute>, string]>([
    ["a batch that comes first", { layout: int(1) }, "must have time before the batch: it has layout 1"],
    [
      "gates that are coupled",
      { input_forget: int(1) },
      "must have gates of their own: it has input_forget 1",
    ],
    [
      "functions with parameters",
      { activations: { type: "strings", value: ["HardSigmoid", "Tanh", "Tanh"] } },
      'must apply Sigmoid, Tanh, Relu, Softplus: it has "HardSigmoid"',
    ],
  ])("lowerRecurrence() refuses %s", async (_, attributes, message) => {
    const graph = await withAttributes(attributes);
    expect(() => lowerRecurrence(graph)).toThrow(
      `Cannot write out node "node" for its gradient as LSTM ${message}`,
    );
  });

  test("gradient() leaves a recurrent layer as it is that nothing wanted passes", async () => {
    const b = new GraphBuilder("frozen", 20);
    const x = b.input("x", { dtype: "f32", shape: [3, 2, 4] });
    const weight = (name: string, shape: number[]) => b.weight(name, { dtype: "f32", shape });
    const operands = [x, weight("w", [1, 5, 4]), weight("r", [1, 5, 5])];
    const [all] = b.emit("RNN", operands, [{ dtype: "f32", shape: [3, 1, 2, 5] }], {
      attributes: { hidden_size: int(5) },
    });
    const graph = b.build([b.rename(reduceSum(mul(all as Value, weight("head", [5]))), "loss")]);
    const opsOf = (withRespectTo: string[]) =>
      gradient(graph, { loss: "loss", withRespectTo }).nodes.filter(isRecurrent).length;
    expect([opsOf(["head"]), opsOf(["head", "r"])]).toEqual([1, 0]);
  });
});
