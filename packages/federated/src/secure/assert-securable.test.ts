import { describe, expect, test } from "vitest";
import type { LinearRule } from "../rules/aggregation-rule.ts";
import { coordinateMedian } from "../rules/coordinate-median.ts";
import { fedavg } from "../rules/fedavg.ts";
import { assertSecurable, type SecurableRound } from "./assert-securable.ts";
import { layOutTensors } from "./secure-layout.ts";

const linear = (change: Partial<LinearRule>): LinearRule => ({ ...(fedavg as LinearRule), ...change });

describe("assertSecurable", () => {
  test("lets the weighted mean pass", () => {
    expect(() => assertSecurable({ rule: fedavg })).not.toThrow();
  });

  test.each<[string, Partial<SecurableRound>, RegExp]>([
    [
      "median",
      { rule: coordinateMedian },
      /"coordinate-median" as it compares single updates element by element/,
    ],
    [
      "norms",
      { rule: linear({ name: "krum", needs: ["gram"] }) },
      /"krum" as it looks at norms or distances/,
    ],
    ["losses", { rule: linear({ needs: ["losses"] }) }, /weights depend on the loss of each client/],
    [
      "other weights",
      {
        rule: linear({ weigh: ({ count }) => ({ weights: Array.from({ length: count }, () => 1 / count) }) }),
      },
      /weights are not the shares of examples/,
    ],
    [
      "staleness",
      {
        rule: linear({
          weigh: ({ shares, staleness }) => ({ weights: shares.map((s, i) => s / (1 + staleness[i]!)) }),
        }),
      },
      /weights are not the shares of examples/,
    ],
    ["a step before", { preAggregations: ["nnm"] }, /the step "nnm" before it compares/],
    ["alignment", { aligned: true }, /aligning looks at each client's weights/],
    ["barriers", { sharedByBarrier: true }, /barriers are measured between/],
    ["late updates", { asynchronous: true }, /masks cancel among the clients of one round/],
  ])("refuses %s, with the reason", (_name, round, message) => {
    expect(() => assertSecurable({ rule: fedavg, ...round })).toThrow(message);
  });
});

test("layOutTensors puts tensors one after another", () => {
  const { places, elements } = layOutTensors(
    new Map([
      ["w", { dtype: "F32", shape: [2, 3] }],
      ["scale", { dtype: "F32", shape: [] }],
      ["b", { dtype: "F32", shape: [4] }],
    ] as const),
  );
  expect([...places.values()].map(({ begin }) => begin)).toEqual([0, 6, 7]);
  expect(elements).toBe(11);
});
