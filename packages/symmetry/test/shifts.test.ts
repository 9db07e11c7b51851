import { createCheckpoint } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type Graph, randomWeights } from "@isthmus/graph";
import {
  explainMixing,
  type LogitShift,
  meanShifts,
  shiftLogitsInPlace,
  verifyAlignment,
  verifyMixing,
} from "@isthmus/symmetry";
import { networkOfConfig } from "@isthmus/zoo";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { discoverAll } from "../../../test/helpers/discover-all.ts";
import { networkOfDoubles, toDoubles } from "../../../test/helpers/double-weights.ts";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";
import { randomShifts } from "../src/shifts/shift-weights.ts";

const engine = createOnnxRuntimeEngine();

const EXPERTS = 4;

/** What becomes of the logits of a router, `[rows, 4]`, and may be multiplied by experts. */
type Choice = (b: GraphBuilder, logits: string) => string;

const softmax: Choice = (b, x) => b.op("Softmax", [x], { axis: -1 });
const compared = (b: GraphBuilder, logits: string) => {
  const larger = b.op("Greater", [b.reshape(logits, -1, 1, EXPERTS), b.reshape(logits, -1, EXPERTS, 1)]);
  const isLarge = b.op("Less", [
    b.op("ReduceSum", [b.op("Cast", [larger], { to: 1 }), b.ints(2)], { keepdims: 0 }),
    b.constant([2], []),
  ]);
  return b.op("Cast", [isLarge], { to: 1 });
};

/** A mixture of four scalar experts whose shares are chosen by a router. */
function mixture(choose: Choice, hasBias = true): Graph {
  const b = new GraphBuilder();
  const x = b.input("x", [5]);
  const logits = hasBias
    ? b.linear(x, "gate", 5, EXPERTS)
    : b.op("MatMul", [x, b.weight("gate.weight", [5, EXPERTS])]);
  const experts = b.op("Tanh", [b.linear(x, "experts", 5, EXPERTS)]);
  return b.output(b.linear(b.op("Mul", [choose(b, logits), experts]), "head", EXPERTS, 3)).build();
}

const SHIFTED: readonly (readonly [string, Choice])[] = [
  ["softmax", softmax],
  [
    "softmax in pieces, less the largest",
    (b, x) => {
      const less = b.op("Sub", [x, b.op("ReduceMax", [x], { axes: [-1] })]);
      const powers = b.op("Exp", [less]);
      return b.op("Div", [powers, b.op("ReduceSum", [powers, b.ints(-1)])]);
    },
  ],
  [
    "softmax of those that are not masked",
    (b, x) => {
      const mask = b.op("Less", [b.constant([0, 1, 0, 0], [1, 4]), b.constant([0.5], [])]);
      return softmax(b, b.op("Where", [mask, x, b.constant([Number.NEGATIVE_INFINITY], [])]));
    },
  ],
  ["the largest by comparison", (b, x) => b.op("Mul", [softmax(b, x), compared(b, x)])],
  [
    "softmax behind an added constant and a reshape",
    (b, x) =>
      b.reshape(
        softmax(b, b.op("Add", [b.reshape(x, -1, 1, EXPERTS), b.constant([1, 2, 3, 4], [4])])),
        -1,
        EXPERTS,
      ),
  ],
];

const FIXED: readonly (readonly [string, Choice])[] = [
  ["sigmoid", (b, x) => b.op("Sigmoid", [x])],
  ["softmax and what else reads them", (b, x) => b.op("Mul", [softmax(b, x), b.op("Tanh", [x])])],
  ["softmax along the other axis", (b, x) => b.op("Softmax", [x], { axis: 0 })],
  [
    "a comparison with a constant",
    (b, x) => b.op("Cast", [b.op("Greater", [x, b.constant([0], [])])], { to: 1 }),
  ],
  [
    "softmax of a part together with other numbers",
    (b, x) =>
      softmax(
        b,
        b.op("Where", [
          b.op("Less", [b.constant([0, 1, 0, 0], [1, 4]), b.constant([0.5], [])]),
          x,
          b.constant([0], []),
        ]),
      ),
  ],
  ["softmax of the squares", (b, x) => softmax(b, b.op("Mul", [x, x]))],
];

describe("findShifts()", () => {
  test.each(SHIFTED)("finds logits of which only differences matter: %s", async (_, choose) => {
    for (const hasBias of [true, false]) {
      const graph = mixture(choose, hasBias);
      const symmetries = await discoverAll(graph);
      const expected = { weight: "gate.weight", axis: 1, bias: hasBias ? "gate.bias" : undefined };
      const { shifts } = symmetries.mixing;
      expect(shifts.map(({ weight, axis, bias }) => ({ weight, axis, bias }))).toEqual([expected]);
      const verified = await verifyMixing({ graph, engine }, symmetries, { seed: 1 });
      expect(verified).toMatchObject({ passed: true, firstFailure: undefined });
      const explained = explainMixing(symmetries.permutations.spec, symmetries.mixing).shifts;
      expect(explained).toMatchObject([{ weight: "gate.weight", logits: 4, parameters: hasBias ? 6 : 5 }]);
    }
  });

  test.each(FIXED)("finds none where more than differences matters: %s", async (_, choose) => {
    expect((await discoverAll(mixture(choose))).mixing.shifts).toEqual([]);
  });

  test("finds those of a classifier that ends in softmax, and none of one that returns logits", async () => {
    const classifier = (end: Choice) => {
      const b = new GraphBuilder();
      const hidden = b.op("Tanh", [b.linear(b.input("x", [5]), "one", 5, 6)]);
      return b.output(end(b, b.linear(hidden, "two", 6, EXPERTS))).build();
    };
    const ended = await discoverAll(classifier(softmax));
    expect(ended.mixing.shifts).toMatchObject([{ weight: "two.weight", bias: "two.bias" }]);
    expect((await discoverAll(classifier((_, x) => x))).mixing.shifts).toEqual([]);
  });

  test("finds the router of each layer of Mixtral", async () => {
    const { graph } = networkOfConfig({
      ...{ model_type: "mixtral", architectures: ["MixtralForCausalLM"], vocab_size: 20 },
      ...{ hidden_size: 8, intermediate_size: 6, num_hidden_layers: 2, num_attention_heads: 2 },
      ...{ num_key_value_heads: 1, num_local_experts: 3, num_experts_per_tok: 2 },
    });
    const symmetries = await discoverAll(graph);
    expect(symmetries.mixing.shifts.map(({ weight }) => weight)).toEqual([
      "model.layers.0.block_sparse_moe.gate.weight",
      "model.layers.1.block_sparse_moe.gate.weight",
    ]);
    expect(await verifyMixing({ graph, engine }, symmetries, { seed: 1 })).toMatchObject({ passed: true });
  });

  test("is caught by the verification where it is wrong", async () => {
    const [, sigmoid] = FIXED[0] as (typeof FIXED)[number];
    const graph = mixture(sigmoid);
    const { mixing, ...known } = await discoverAll(graph);
    const shifts: LogitShift[] = [
      { weight: "gate.weight", shape: [5, EXPERTS], axis: 1, bias: "gate.bias", values: [] },
    ];
    const wrong = { ...known, mixing: { ...mixing, shifts } };
    expect(await verifyMixing({ graph, engine }, wrong, { seed: 1 })).toMatchObject({ passed: false });
  });
});

describe("shiftLogitsInPlace()", () => {
  test("keeps the function, whatever the shift, and means tell what it was", async () => {
    const graph = mixture(softmax);
    const { shifts } = (await discoverAll(graph)).mixing;
    await fc.assert(
      fc.asyncProperty(fc.nat(1e6), async (seed) => {
        const bound = randomWeights(graph, seed);
        const values = toDoubles(bound);
        const [before] = meanShifts(values, shifts);
        const amounts = randomShifts(shifts, seed);
        shiftLogitsInPlace(values, shifts, amounts);
        const [after] = meanShifts(values, shifts);
        amounts[0]?.vector.forEach((amount, i) => {
          expect(Number(after?.vector[i]) - Number(before?.vector[i])).toBeCloseTo(amount, 10);
        });
        const moved = networkOfDoubles(bound, values);
        const result = await verifyAlignment({ graph, engine }, [createCheckpoint(bound), moved], { seed });
        expect(result).toMatchObject({ passed: true });
        shiftLogitsInPlace(values, shifts, meanShifts(values, shifts), -1);
        for (const { vector, number } of meanShifts(values, shifts))
          for (const mean of [...vector, number]) expect(mean).toBeCloseTo(0, 12);
      }),
      { numRuns: 5, seed: 1 },
    );
  });
});
