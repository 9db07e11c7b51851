import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type Engine, type Graph, type Node, withSharedSessions } from "@isthmus/graph";
import {
  discoverLinearSymmetries,
  discoverSymmetries,
  verifyLinearSymmetries,
  verifySymmetries,
} from "@isthmus/symmetry";
import { describe, expect, test } from "vitest";
import { graphOfCase, type OperatorCase } from "../../../test/helpers/operator-cases/draw.ts";
import { INFERENCE_CASES } from "../../../test/helpers/operator-cases/inference.ts";
import { OPERATOR_CASES } from "../../../test/helpers/operator-cases/table.ts";
import { runGraph } from "../../../test/helpers/run-graph.ts";
import { scoreOutputs } from "../../../test/helpers/score-outputs.ts";

const SEEDS = [0, 1];

/** Operators in the cases of which some use is followed by no rule: they freeze what they touch. */
const UNKNOWN = new Set(["GatherND", "MaxPool", "OneHot", "ScatterElements", "ScatterND"]);

/** Cases that cannot stand in a network: of old operator sets, or of a shape that depends on the values of weights. */
const isInNetwork = ({ op, opset = 17 }: OperatorCase): boolean => opset >= 7 && op !== "NonZero";

/** Of pools whose last window does not fit whole, onnxruntime infers another shape than it computes. */
const withoutCeiling = (node: Node): Node => ({
  ...node,
  attributes: new Map([...node.attributes].filter(([name]) => name !== "ceil_mode")),
});

/** Which operands of one node are weights of a network; all others are constants of it. */
async function networkOf(given: OperatorCase, seed: number, isWeight: (operand: string) => boolean) {
  const { graph: plain, feeds } = graphOfCase(given, seed);
  const graph = { ...plain, nodes: plain.nodes.map(withoutCeiling) };
  const results = await runGraph(graph, feeds);
  const floats = [...feeds].filter(([name, { dtype }]) => dtype === "f32" && isWeight(name));
  const rest = [...feeds].filter(([name]) => !floats.some(([other]) => other === name));
  const network: Graph = {
    ...graph,
    inputs: [{ name: "x", dtype: "f32", shape: ["N", 2] }],
    weights: new Map(floats.map(([name, { dtype, shape }]) => [name, { dtype, shape, role: "parameter" }])),
    constants: new Map([...graph.constants, ...rest]),
    outputs: [],
  };
  return { graph: scoreOutputs(network, results), weights: floats.map(([name]) => name) };
}

/** Discovers and verifies; how many symmetries there are. */
function examine(given: OperatorCase, seed: number, isWeight: (operand: string) => boolean) {
  return withSharedSessions(createOnnxRuntimeEngine(), (engine) =>
    examineWith(engine, given, seed, isWeight),
  );
}

async function examineWith(
  engine: Engine,
  given: OperatorCase,
  seed: number,
  isWeight: (operand: string) => boolean,
) {
  const { graph, weights } = await networkOf(given, seed, isWeight);
  if (weights.length === 0) return { weights, symmetries: 0 };
  const permutations = await discoverSymmetries({ graph, engine });
  const { unknown, symmetries } = permutations.spec;
  expect(unknown.filter(({ op }) => !UNKNOWN.has(op))).toEqual([]);
  const result = await verifySymmetries({ graph, engine }, permutations, { seed });
  const what = `${given.op} ${given.detail ?? ""}, seed ${seed}, weights ${weights}`;
  expect({ what, ...result }).toMatchObject({ what, passed: true });
  const linear = await discoverLinearSymmetries({ graph, engine }, permutations);
  for (const each of await verifyLinearSymmetries({ graph, engine }, { permutations, linear }, { seed })) {
    expect({ what, ...each }).toMatchObject({ what, passed: true });
  }
  return { weights, symmetries: symmetries.length };
}

describe("operands of random operators", () => {
  let symmetries = 0;

  test.each(
    [...OPERATOR_CASES, ...INFERENCE_CASES]
      .filter(isInNetwork)
      .map((each) => [`${each.op} ${each.detail ?? ""}`.trim(), each] as const),
  )(
    "discoverSymmetries() is right about every operand of %s, all at once and each alone",
    async (_, each) => {
      for (const [turn, seed] of SEEDS.entries()) {
        const all = await examine(each, seed, () => true);
        symmetries += all.symmetries;
        if (all.weights.length < 2) continue;
        // Each operand alone in one of the drawn cases.
        for (const alone of all.weights.filter((_, i) => i % SEEDS.length === turn))
          symmetries += (await examine(each, seed, (name) => name === alone)).symmetries;
      }
    },
  );

  test("discoverSymmetries() finds many: freezing everything would be right as well", () => {
    expect(symmetries).toBeGreaterThan(700);
  });
});
