import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatJson } from "./format-json.ts";

describe("formatJson()", () => {
  it("formatJson() sets lists of numbers on one line", () => {
    const text = formatJson({ name: "x", order: [2, 0, 1], nested: [[1, -2.5e-30], ["a"]], none: [] });
    expect(text).toBe(
      [
        "{",
        '  "name": "x",',
        '  "order": [2, 0, 1],',
        '  "nested": [',
        "    [1, -2.5e-30],",
        "    [",
        '      "a"',
        "    ]",
        "  ],",
        '  "none": []',
        "}",
        "",
      ].join("\n"),
    );
  });

  it("formatJson() is read back as plain JSON is, whatever strings contain", () => {
    const tricky = fc.constantFrom("[\n1,  2]", "[1,   2]", "[ ]", "\\[\n", '"[\n  1\n]"');
    const value = fc.oneof(fc.jsonValue(), fc.dictionary(tricky, fc.array(fc.oneof(tricky, fc.integer()))));
    fc.assert(
      fc.property(
        value,
        (json) => void expect(JSON.parse(formatJson(json))).toEqual(JSON.parse(JSON.stringify(json))),
      ),
    );
  });
});
