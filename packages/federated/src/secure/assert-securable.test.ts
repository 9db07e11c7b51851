import { describe, expect, test } from "vitest";
import { PRE_AGGREGATIONS } from "../pre-aggregations.ts";
import { AGGREGATION_RULES } from "../rules.ts";
import { assertSecurable, type SecurableRound } from "./assert-securable.ts";
import { layOutTensors } from "./secure-layout.ts";

const rule = (name: string, parameters = {}): SecurableRound => ({
  rule: { of: AGGREGATION_RULES.get(name)!, parameters },
});

describe("assertSecurable", () => {
  test.each<[string, SecurableRound, RegExp]>([
    ["coordinate-median", rule("coordinate-median"), /compares single updates element by element/],
    ["krum", rule("krum"), /"krum" as it looks at distances between single updates/],
    ["norm-bound", rule("norm-bound", { bound: 1 }), /"norm-bound" as it looks at the norms/],
    ["qfedavg", rule("qfedavg"), /weights depend on the loss of each client/],
    ["fedbuff", rule("fedbuff"), /weights are not the shares of examples/],
    [
      "late updates of fedbuff",
      rule("fedbuff", { weighted: true }),
      /weights are not the shares of examples/,
    ],
    ["nnm", { preAggregations: [{ of: PRE_AGGREGATIONS.get("nnm")! }] }, /the step "nnm" before it compares/],
    ["alignment", { aligned: true }, /"fedavg" as aligning looks at each client's weights/],
    ["barriers", { sharedByBarrier: true }, /barriers are measured between/],
    ["late updates", { asynchronous: true }, /masks cancel among the clients of one round/],
  ])("refuses %s, with the reason", (_name, round, message) => {
    expect(() => assertSecurable(round)).toThrow(message);
  });

  test("lets the mean pass, and no other rule of all", () => {
    const passing = [...AGGREGATION_RULES.keys()].filter((name) => {
      try {
        assertSecurable(rule(name, name === "norm-bound" ? { bound: 1 } : {}));
        return true;
      } catch {
        return false;
      }
    });
    expect(passing).toEqual(["fedavg"]);
    expect(() => assertSecurable({})).not.toThrow();
  });
});

test("layOutTensors() puts tensors one after another", () => {
  const { places, elements } = layOutTensors(
    new Map([
      ["w", { dtype: "f32", shape: [2, 3] }],
      ["scale", { dtype: "f32", shape: [] }],
      ["b", { dtype: "f32", shape: [4] }],
    ] as const),
  );
  expect([...places.values()].map(({ begin }) => begin)).toEqual([0, 6, 7]);
  expect(elements).toBe(11);
});
