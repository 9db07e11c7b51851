import { FormatError } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeSpec } from "./decode-spec.ts";
import { encodeRuns, encodeSpec, fingerprintSpec } from "./encode-spec.ts";

const written = {
  format: "isthmus-symmetries",
  version: 1,
  symmetries: [
    { name: "channels", size: 4 },
    { name: "inner", size: 2, parents: [[[0, 4]]] },
  ],
  followers: [
    {
      parents: [
        [
          [0, 4],
          [0, 4],
        ],
      ],
    },
  ].slice(1),
  weights: {
    "conv.weight": { shape: [4, 3], fields: [{ axes: [0], units: "channels" }] },
    "norm.running_mean": { shape: [4], role: "statistic", fields: [{ axes: [0], units: "channels" }] },
    "head.weight": { shape: [2, 8], fields: [{ axes: [1], units: "inner" }] },
    "gate.weight": {
      shape: [9],
      fields: [
        {
          axes: [0],
          units: [
            [-1, 1],
            [4, 8],
          ],
        },
      ],
    },
  },
  frozen: [
    { tensor: "conv.weight", axis: 1, indices: 3, extent: 3, kernel: false, node: "conv", reason: "because" },
  ],
  unknown: [{ node: "lstm", op: "LSTM" }],
};

describe("encodeRuns()", () => {
  test("encodeRuns() compresses stretches with a constant step", () => {
    expect(encodeRuns([5, 6, 7, 8])).toEqual([[5, 4]]);
    expect(encodeRuns([0, 2, 4, 9, 9, 9, -1])).toEqual([
      [0, 3, 2],
      [9, 3, 0],
      [-1, 1],
    ]);
    expect(encodeRuns([])).toEqual([]);
  });

  test("decodeSpec() reads back any list of units", () => {
    const units = fc.array(fc.integer({ min: -1, max: 11 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(units, (list) => {
        const weights = { w: { shape: [list.length], fields: [{ axes: [0], units: encodeRuns(list) }] } };
        const { weights: read } = decodeSpec({ ...written, weights, frozen: [], unknown: [] });
        expect([...(read.get("w")?.fields[0]?.units ?? [])]).toEqual(list);
      }),
    );
  });
});

describe("decodeSpec()", () => {
  test("decodeSpec() reads what people write, and encodeSpec() writes it again", () => {
    const spec = decodeSpec(written);
    expect(spec.units).toBe(12);
    expect(spec.symmetries[1]).toEqual({
      name: "inner",
      size: 2,
      firstUnit: 4,
      cells: [[0], [1], [2], [3]],
      axes: [
        { tensor: "head.weight", axis: 1 },
        { tensor: "gate.weight", axis: 0 },
      ],
    });
    expect(spec.symmetries[0]?.axes).toEqual([
      { tensor: "conv.weight", axis: 0 },
      { tensor: "norm.running_mean", axis: 0 },
      { tensor: "head.weight", axis: 1 },
      { tensor: "gate.weight", axis: 0 },
    ]);
    expect(spec.weights.get("norm.running_mean")?.role).toBe("statistic");
    const { followers, ...rest } = written;
    expect(followers).toEqual([]);
    expect(JSON.parse(JSON.stringify(encodeSpec(spec)))).toEqual(rest);
  });

  const wrong = (change: (json: typeof written) => unknown): unknown => change(structuredClone(written));
  const weight = (w: unknown) => wrong((json) => ({ ...json, weights: { w } }));

  test.each([
    [
      "another format",
      wrong((json) => ({ ...json, format: "x" })),
      /"format" must be "isthmus-symmetries": it is "x"/,
    ],
    ["another version", wrong((json) => ({ ...json, version: 2 })), /"version" must be 1: it is 2/],
    ["no object", 7, /it must be an object: it is 7/],
    ["a stray member", wrong((json) => ({ ...json, extra: 1 })), /without "extra"/],
    [
      "a symmetry of one unit",
      wrong((json) => ({ ...json, symmetries: [{ name: "a", size: 1 }] })),
      /symmetries\[0\].size/,
    ],
    [
      "a name twice",
      wrong((json) => ({ ...json, symmetries: [json.symmetries[0], json.symmetries[0]] })),
      /a name of its own/,
    ],
    [
      "parents that come later",
      wrong((json) => ({ ...json, symmetries: [{ name: "a", size: 2, parents: [[[0, 2]]] }] })),
      /symmetries\[0\].parents/,
    ],
    [
      "two cells with one parent",
      wrong((json) => ({
        ...json,
        symmetries: [
          json.symmetries[0],
          {
            name: "i",
            size: 2,
            parents: [
              [
                [0, 1],
                [0, 1],
              ],
            ],
          },
        ],
      })),
      /no two have the same parents/,
    ],
    [
      "a huge symmetry",
      wrong((json) => ({ ...json, symmetries: [{ name: "a", size: 1e15 }] })),
      /symmetries\[0\].size/,
    ],
    [
      "a huge stretch",
      weight({
        shape: [3],
        fields: [
          {
            axes: [0],
            units: [
              [0, 1e9, 0],
              [0, 1e9, 0],
            ],
          },
        ],
      }),
      /weights.w.fields\[0\].units/,
    ],
    [
      "units that are not there",
      weight({ shape: [4], fields: [{ axes: [0], units: [[10, 4]] }] }),
      /numbers from -1 to 11/,
    ],
    [
      "an unknown symmetry",
      weight({ shape: [4], fields: [{ axes: [0], units: "other" }] }),
      /the name of a symmetry/,
    ],
    [
      "an axis of another extent",
      weight({ shape: [5], fields: [{ axes: [0], units: "channels" }] }),
      /a unit for each of 5 positions, not 4/,
    ],
    [
      "an axis that is not there",
      weight({ shape: [4], fields: [{ axes: [1], units: "channels" }] }),
      /axes\[0\]/,
    ],
    [
      "no axis",
      weight({ shape: [4], fields: [{ axes: [], units: "channels" }] }),
      /a list of axes, ascending/,
    ],
    [
      "ranks of another length",
      weight({ shape: [4], fields: [{ axes: [0], units: "channels", ranks: [[0, 3]] }] }),
      /a rank for each of 4 positions/,
    ],
    [
      "a view of another size",
      weight({ shape: [4], view: [2, 3] }),
      /a view of as many elements as the shape/,
    ],
    ["a role that is not one", weight({ shape: [4], role: "x" }), /role/],
  ])("decodeSpec() refuses %s", (_, json, message) => {
    expect(() => decodeSpec(json)).toThrow(FormatError);
    expect(() => decodeSpec(json)).toThrow(message);
  });
});

describe("fingerprintSpec()", () => {
  test("fingerprintSpec() depends on units and weights, and not on what is explained", () => {
    const one = fingerprintSpec(decodeSpec(written));
    expect(one).toMatch(/^[0-9a-f]{16}$/);
    expect(fingerprintSpec(decodeSpec({ ...written, frozen: [], unknown: [] }))).toBe(one);
    expect(fingerprintSpec(decodeSpec({ ...written, weights: {} }))).not.toBe(one);
  });
});
