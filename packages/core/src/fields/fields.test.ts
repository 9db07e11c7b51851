import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OutOfRangeError, UsageError } from "../errors.ts";
import type { FieldsOf } from "./field.ts";
import { findMisfit, ruleOf } from "./form.ts";
import {
  choiceField,
  fieldOf,
  flagField,
  groupField,
  listField,
  numberField,
  numberForm,
  rangeField,
  seedField,
  wholeField,
} from "./make-fields.ts";
import { defaultsOf, resolveFields } from "./resolve-fields.ts";

interface Chain {
  readonly draws?: number;
  readonly step?: number;
}

interface Options {
  readonly trials?: number;
  readonly shares?: readonly number[];
  readonly choice?: "random" | "largest";
  readonly range?: readonly [number, number];
  readonly local?: boolean;
  readonly seed?: number;
  readonly chain?: Chain;
  readonly only?: boolean;
}

const FIELDS: FieldsOf<Options> = {
  trials: wholeField({ least: 1, most: 10, default: 3, help: "choices at random" }),
  shares: listField<number>(numberForm({ above: 0, most: 1 }), { default: [0.5], help: "shares" }),
  choice: choiceField(["random", "largest"], { default: "random", help: "which units stay" }),
  range: rangeField({ help: "ends" }),
  local: flagField({ help: "whether slopes are measured", default: true }),
  seed: seedField("seed of choices"),
  chain: groupField<Chain>(
    {
      draws: wholeField({ least: 2, default: 10, help: "draws" }),
      step: numberField({ above: 0, default: 1, help: "step" }),
    },
    { help: "chains" },
  ),
  only: flagField({ help: "the choice alone", requires: "choice", excludes: ["shares"] }),
};
const resolve = (options: Options) => resolveFields("try it", FIELDS, options);

describe("resolveFields()", () => {
  it("fills in defaults, and leaves what has none undefined", () => {
    expect(resolve({})).toEqual({ ...defaultsOf(FIELDS) });
    expect(resolve({ trials: 2 })).toMatchObject({ trials: 2, shares: [0.5], range: undefined });
  });

  it.each([
    [{ trials: 0 }, `"trials" must be a whole number from 1 to 10: it is 0`],
    [{ trials: 1.5 }, `"trials" must be a whole number from 1 to 10: it is 1.5`],
    [{ shares: [0.5, 2] }, `"shares[1]" must be a number above 0 and at most 1: it is 2`],
    [{ shares: [] }, `"shares" must be a list of 1 or more, each a number above 0 and at most 1: it is []`],
    [{ choice: "biggest" as "largest" }, `"choice" must be one of random, largest: it is "biggest"`],
    [{ range: [1, 0] as const }, `"range" must be two numbers, the first one smaller: it is [1,0]`],
    [{ seed: -1 }, `"seed" must be a whole number of at least 0: it is -1`],
    [{ chain: { draws: 1 } }, `"chain.draws" must be a whole number of at least 2: it is 1`],
  ] as [Options, string][])("names the value of %j that does not fit, and its rule", (options, text) => {
    expect(() => resolve(options)).toThrow(OutOfRangeError);
    expect(() => resolve(options)).toThrow(text);
  });

  it("refuses options without a field, options that stand alone, and options that exclude each other", () => {
    expect(() => resolve({ trails: 2 } as Options)).toThrow(/no option "trails": known options are trials/);
    expect(() => resolve({ only: true })).toThrow(UsageError);
    expect(() => resolve({ only: true })).toThrow(/"only" alone as it belongs to "choice"/);
    expect(() => resolve({ only: true, choice: "random", shares: [1] })).toThrow(/exclude each other/);
  });

  it("keeps options that are no plain data", () => {
    const { signal } = new AbortController();
    const options = { trials: 1, signal };
    expect(
      resolveFields("try it", FIELDS, options, { signal: undefined as AbortSignal | undefined }).signal,
    ).toBe(signal);
  });

  it("accepts whole numbers within bounds and no others", () => {
    const check = (trials: number) => {
      expect(findMisfit(FIELDS.trials.form, trials) === undefined).toBe(trials >= 1 && trials <= 10);
    };
    fc.assert(fc.property(fc.integer({ min: -50, max: 50 }), check));
  });

  it("says the rule of forms of forms", () => {
    const form = fieldOf(
      { type: "record", of: { type: "object", parts: { name: { type: "text" } } } },
      { help: "" },
    );
    expect(ruleOf(form.form)).toBe("an object, each value an object with name");
    expect(findMisfit(form.form, { a: { name: 1 } })).toMatchObject({ path: ".a.name", value: 1 });
    expect(findMisfit(form.form, { a: { nam: "x" } })).toMatchObject({ path: ".a" });
  });
});
