import { createCheckpoint, createTensor } from "@isthmus/core";
import { average, lerp, mergeLayers, slerp as onArc } from "@isthmus/interpolation";
import { describe, expect, test } from "vitest";
import { merge } from "./merge.ts";
import { defineMergeMethod } from "./merge-method.ts";
import { linear } from "./methods/linear.ts";
import { slerp } from "./methods/slerp.ts";
import { byLayer } from "./parameters.ts";

const network = (seed: number) =>
  createCheckpoint(
    new Map(
      ["conv.weight", "conv.bias", "fc.weight"].map((name, k) => [
        name,
        createTensor(
          "f32",
          [4],
          Float32Array.from({ length: 4 }, (_, i) => Math.sin(seed * 7 + k * 3 + i)),
        ),
      ]),
    ),
    {},
    `network ${seed}`,
  );
const [a, b, c] = [network(1), network(2), network(3)];

describe("merge()", () => {
  test("is what interpolation computes: averages, lines, arcs and layers of their own", async () => {
    const names = [...a.tensors.keys()];
    const shares = new Map([
      ["conv", 0.3],
      ["fc.weight", 1],
    ]);
    const share = byLayer(shares, 0, names);
    const pairs = [
      [
        merge([a, b, c], { method: linear, parameters: { weight: [5, 3, 2] } }),
        average([a, b, c], [5, 3, 2]),
      ],
      [merge([a, b], { method: linear, parameters: { weight: [0.7, 0.3] } }), lerp(a, b, 0.3)],
      [merge([a, b], { method: slerp, parameters: { t: 0.25 } }), onArc(a, b, 0.25)],
      [
        merge([a, b], { method: linear, parameters: { weight: [(name) => 1 - share(name), share] } }),
        mergeLayers(a, b, shares),
      ],
    ] as const;
    for (const [merged, expected] of pairs)
      for (const name of names) expect(await merged.read(name)).toEqual(await expected.read(name));
  });

  test("tells a method of one's own where in the tensor a range lies, and what it found out about the whole", async () => {
    const calls: [number, number][] = [];
    const probe = defineMergeMethod({
      name: "probe",
      description: "Writes the position of each element beyond the sum of the tensor's size.",
      source: "this test, 2026",
      parameters: { shift: { description: "Added.", of: "merge", default: 0 } },
      networks: { least: 1, base: "required" },
      survey: ({ info: { shape }, parameters: { shift } }) => (shape[0] ?? 0) + shift,
      blendInto({ begin, survey, base }, out) {
        calls.push([begin, base?.data.length ?? 0]);
        for (let i = 0; i < out.data.length; i++) out.data[i] = survey + begin + i;
      },
    });
    const merged = merge([a], { method: probe, base: b, parameters: { shift: 100 } });
    expect([...(await merged.readRange("fc.weight", 1, 3))]).toEqual([105, 106]);
    expect(calls).toEqual([[1, 2]]);
    expect(() => merge([a], { method: probe })).toThrow("give it as base");
    expect(() => merge([a], { method: linear, base: b })).toThrow('leave out "network 2"');
  });

  test("checks parameters by tensor, and counts them by network", () => {
    expect(() => merge([a, b], { method: slerp, parameters: { t: Number.NaN } })).toThrow(
      'Cannot merge "conv.weight" as "t" of slerp must be a finite number: it is NaN',
    );
    expect(() => merge([a, b], { method: linear, parameters: { weight: [1] } })).toThrow(
      'Cannot merge 2 networks as "weight" of linear needs one value for each: got 1',
    );
    expect(() => byLayer(new Map([["head", 1]]), 0, ["fc.weight"])).toThrow(/"head" fits none of fc/);
  });
});
