import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Setting } from "../recipe/recipe.ts";
import { compileFilter } from "./filter.ts";
import { findScalarProblem, readScalar } from "./scalar.ts";
import { SettingsReader } from "./settings-reader.ts";

const NUMBER = { description: "A number.", of: "merge", default: 1 } as const;
const WORD = { description: "A word.", of: "merge", default: "a", choices: ["a", "b", "c"] } as const;

const levelOf = (setting: Setting, name = "parameters") => ({ settings: { t: setting }, path: [name] });
const read = (setting: Setting, along = 0, name = "model.layers.0.mlp.up_proj.weight") =>
  new SettingsReader().read("t", NUMBER, [levelOf(setting)], { name, along })?.value;

describe("SettingsReader", () => {
  test("interpolates gradients of numbers between their places", () => {
    expect([0, 0.25, 0.5, 0.75, 1].map((along) => read([0, 1, 3], along))).toEqual([0, 0.5, 1, 2, 3]);
    expect(read(["1e-1", 1], 0)).toBe(0.1);
    expect(read([7], 0.3)).toBe(7);
  });

  test("passes through every value of a gradient, and stays between its ends", () =>
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 2, maxLength: 6 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, along) => {
          for (const [i, value] of values.entries())
            expect(read(values, i / (values.length - 1))).toBeCloseTo(value, 9);
          const between = Number(read(values, along));
          expect(between).toBeGreaterThanOrEqual(Math.min(...values) - 1e-9);
          expect(between).toBeLessThanOrEqual(Math.max(...values) + 1e-9);
        },
      ),
    ));

  test("holds words of a list from their place to the next", () => {
    const reader = new SettingsReader();
    const at = (along: number) =>
      reader.read("t", WORD, [levelOf(["a", "b", "c"])], { name: "w", along })?.value;
    expect([0, 0.49, 0.5, 0.99, 1].map(at)).toEqual(["a", "a", "b", "b", "c"]);
  });

  test("takes the first filter that fits, and falls through to the next level", () => {
    const levels = [levelOf([{ filter: "self_attn", value: 1 }], "near"), levelOf({ value: 2 }, "far")];
    const reader = new SettingsReader();
    const at = (name: string) => reader.read("t", NUMBER, levels, { name, along: 0 });
    expect(at("layers.0.self_attn.q")).toMatchObject({
      value: 1,
      filter: "self_attn",
      path: ["near", "t", 0],
    });
    expect(at("layers.0.mlp")).toMatchObject({ value: 2, filter: undefined, isConditional: true });
    expect(new SettingsReader().read("t", NUMBER, [levelOf([])], { name: "w", along: 0 })).toBeUndefined();
  });

  test("tells why a filter changed nothing", () => {
    const setting = [
      { filter: "mlp", value: 1 },
      { filter: "up_proj", value: 2 },
      { filter: "self_atn", value: 3 },
    ];
    const levels = [levelOf(setting), levelOf([{ filter: "mlp", value: 3 }], "far")];
    const reader = new SettingsReader();
    for (const name of ["layers.0.mlp.up_proj", "layers.0.self_attn.q"])
      reader.read("t", NUMBER, levels.slice(0, 1), { name, along: 0 });
    expect(reader.findIdleFilters(levels).map(({ text }) => text)).toEqual([
      '"up_proj" has no effect as filters before it take all its tensors: put it first',
      '"self_atn" matches none of 2 tensors; did you mean "self_attn"?',
      '"mlp" has no effect as settings nearer to the networks come first: leave it out',
    ]);
  });
});

test("compileFilter() takes texts, patterns and regular expressions", () => {
  const name = "model.layers.12.mlp.up_proj.weight";
  const fits = (filter: string) => compileFilter(filter)(name);
  expect(
    ["mlp", "*", "model.*.weight", "/layers\\.1\\d\\./", "/MLP/i", "up_proj.weight"].filter((f) => !fits(f)),
  ).toEqual([]);
  expect(["attn", "mlp.*", "/layers\\.2/", "/MLP/"].filter(fits)).toEqual([]);
});

test("findScalarProblem() names types, ranges and choices", () => {
  expect(findScalarProblem(NUMBER, "1e-5")).toBeUndefined();
  expect(findScalarProblem(NUMBER, "x")).toEqual({ text: 'must be a number: it is "x"' });
  expect(findScalarProblem({ ...NUMBER, least: 0, most: 1 }, 2)).toEqual({
    text: "must be a number in [0, 1]: it is 2",
  });
  expect(findScalarProblem(WORD, "bb")?.text).toMatch(/^must be one of a, b, c: it is "bb"/);
  expect(findScalarProblem({ ...NUMBER, default: true }, 2)).toEqual({
    text: "must be true or false: it is 2",
  });
});

test.each([
  [1, true],
  [0, false],
  ["true", true],
  ["False", false],
  ["yes", true],
  ["off", false],
])("%j is read as %s where a parameter is true or false, with a warning", (value, expected) => {
  const spec = { ...NUMBER, default: false };
  expect(readScalar(spec, value)).toBe(expected);
  const text = `is read as ${expected}: it is ${JSON.stringify(value)}`;
  expect(findScalarProblem(spec, value)).toEqual({ text, tolerated: "spelling" });
  expect(findScalarProblem(spec, expected)).toBeUndefined();
});

test("a number beyond the range that a method is described for is tolerated", () => {
  const spec = { ...NUMBER, usual: { least: 0, most: 1, beyond: "goes on" } };
  expect(findScalarProblem(spec, 1)).toBeUndefined();
  expect(findScalarProblem(spec, 1.5)).toEqual({
    ...{ text: "is meant to be in [0, 1]: it is 1.5, for which it goes on", tolerated: "unusual value" },
  });
});
