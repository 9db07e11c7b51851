import { choiceField, flagField, listField, numberField, textField, UsageError } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, expectTypeOf, it } from "vitest";
import { defineMeasurement } from "./define-measurement.ts";
import { describePlainly } from "./describe-plainly.ts";
import type { Control, Subjects } from "./measurement.ts";

const control: Control = {
  signal: undefined,
  journalPath: undefined,
  report() {},
  saveNetwork: undefined,
  onPart() {},
  measurePairs: undefined,
};
/** A network without weights, as far as measurements here look at it. */
const subject = {
  network: { source: "nets/a.safetensors" },
  data: { name: "few", size: 3 },
  engine: { name: "none" },
} as unknown as Subjects["network"];

const SMALL = {
  verb: "small",
  kind: "small",
  summary: "Measure little",
  subject: "network",
  run: async () => ({ total: 2 }),
};

/** Defines a measurement that no compiler has checked, as JavaScript can. */
const define = (changes: object) => defineMeasurement({ ...SMALL, ...changes } as never);

describe("defineMeasurement()", () => {
  it("gives the types of options and results to whoever writes them", () => {
    defineMeasurement({
      ...{ verb: "small", kind: "small", summary: "Measure little", subject: "pair" },
      options: {
        step: numberField({ above: 0, default: 1, help: "step" }),
        norm: choiceField(["sum", "mean"], { default: "sum", help: "norm" }),
        most: numberField({ help: "most" }),
      },
      async run({ a, b }, options) {
        expectTypeOf(options.step).toEqualTypeOf<number>();
        expectTypeOf(options.norm).toEqualTypeOf<"sum" | "mean">();
        expectTypeOf(options.most).toEqualTypeOf<number | undefined>();
        return { distance: a.tensors.size - b.tensors.size };
      },
      titleOf(result) {
        expectTypeOf(result.distance).toEqualTypeOf<number>();
        expectTypeOf(result.options.norm).toEqualTypeOf<"sum" | "mean">();
        return "Distance";
      },
    });
  });

  it("makes lists of typed arrays, of which the form and the page are, too", async () => {
    const rows = fc.array(
      fc.double({ noNaN: true, noDefaultInfinity: true }).filter((x) => !Object.is(x, -0)),
    );
    const entry = defineMeasurement({
      ...{ verb: "small", kind: "small", summary: "Measure little", subject: "network" },
      options: { values: listField<number>({ type: "number" }, { least: 0, help: "values", default: [] }) },
      async run(_: object, { values }: { values: readonly number[] }, { onPart }: Control<object>) {
        const found = {
          rows: [{ of: Float64Array.from(values) }],
          ids: BigInt64Array.of(7n),
          counts: Int8Array.of(1, 2),
        };
        onPart(found);
        return found;
      },
      titleOf(result) {
        expectTypeOf(result.counts).toEqualTypeOf<readonly number[]>();
        expectTypeOf(result.rows).toEqualTypeOf<readonly { readonly of: readonly number[] }[]>();
        return result.counts.map((count) => count + 1).join(" ");
      },
    });
    const measurement = await entry.load();
    await fc.assert(
      fc.asyncProperty(rows, async (values) => {
        const parts: unknown[] = [];
        const onPart = (part: unknown) => parts.push(part);
        const result = await measurement.run(subject, { values }, { ...control, onPart });
        expect(result).toMatchObject({ rows: [{ of: values }], ids: [7], counts: [1, 2] });
        expect(parts).toEqual([result]);
        const read = (await measurement.form()).parse(JSON.parse(JSON.stringify(result)));
        expect(read).toEqual(result);
        expect(measurement.titleOf(result)).toBe("2 3");
        const tables = measurement.describe(result).sections[0]?.tables;
        expect(tables?.map(({ name }) => name)).toEqual(["ids", "counts"]);
      }),
    );
  });

  it("gives weights alone to a measurement that needs no data, and says nothing of examples", async () => {
    const entry = defineMeasurement({
      ...{ verb: "small", kind: "small", summary: "Measure little", subject: "pair", needsData: false },
      async run(pair) {
        expectTypeOf(pair).toEqualTypeOf<Subjects["weights-of-pair"]>();
        return { keys: Object.keys(pair) };
      },
    });
    expect(entry.subject).toBe("weights-of-pair");
    const of = (source: string) => ({ source }) as Subjects["weights-of-pair"]["a"];
    const pair = { a: of("a.pt"), b: of("b.pt"), unaligned: of("b.pt") };
    const measurement = await entry.load();
    const result = await measurement.run(pair as unknown as Subjects["pair"], {}, control);
    expect(result).toEqual({
      kind: "small",
      a: "a.pt",
      b: "b.pt",
      options: {},
      keys: ["a", "b", "unaligned"],
    });
    expect(measurement.titleOf(result)).toBe("Small of a.pt and b.pt");
  });

  it("fills in a form, a title and a page, and says in results what was measured", async () => {
    const entry = define({ options: { step: numberField({ default: 1, help: "step" }) } });
    const measurement = await entry.load();
    expect(measurement).toMatchObject({ version: 1, attempt: "measure small", examples: [] });
    const result = await measurement.run(subject, { step: 1 }, control);
    expect(result).toEqual({
      kind: "small",
      network: "nets/a.safetensors",
      data: "few",
      examples: 3,
      engine: "none",
      options: { step: 1 },
      total: 2,
    });
    expect(measurement.titleOf?.(result)).toBe("Small of a.safetensors");
    const form = await measurement.form?.();
    expect(form?.safeParse(JSON.parse(JSON.stringify(result))).success).toBe(true);
    expect(form?.safeParse({ kind: "other", total: 2 }).success).toBe(false);
    expect(form?.safeParse({ ...result, network: {} }).success).toBe(false);
    expect(measurement.describe?.(result)).toMatchObject({
      summary: "Small of a.safetensors: total 2.",
      tiles: [{ name: "total", value: "2" }],
      facts: expect.arrayContaining([{ name: "Step", value: "1" }]),
    });
  });

  it.each([
    [{ kind: undefined }, `"kind" is missing: it must be lower-case words with hyphens between them`],
    [
      { kind: "GradientNorm" },
      `"kind" must be lower-case words with hyphens between them, such as gradient-norm: it is "GradientNorm"`,
    ],
    [{ verb: "a--b" }, `"verb" must be lower-case words`],
    [{ verb: "../x" }, `"verb" must be lower-case words`],
    [{ summary: "a\nb" }, `"summary" must be one line`],
    [{ subject: "layer" }, `"subject" must be one of network, pair, networks: it is "layer"`],
    [{ run: 1 }, `"run" must be a function: it is 1`],
    [{ subject: "pair", isOnLine: "yes" }, `"isOnLine" must be true or false: it is "yes"`],
    [{ version: 0.5 }, `"version" must be a whole number from 1: it is 0.5`],
    [{ journal: { keeps: "all", file: "../x" } }, `"journal" must be an object with "keeps"`],
    [{ pairs: { note: "x" } }, `"pairs" must be an object with "note"`],
    [
      { pairs: { note: "x", options: {}, evaluations: () => 1, run: async () => [] } },
      `"pairs" must be left out unless the subject is "networks": it is "network"`,
    ],
    [{ needsData: "no" }, `"needsData" must be true or false: it is "no"`],
    [
      { needsData: false, complete: () => {} },
      `"complete" must be left out if "needsData" is false, as it is for examples`,
    ],
    [{ describ: () => {} }, `it has no "describ": did you mean "describe"?`],
    [{ options: [] }, `"options" must be an object with a field for each option`],
    [{ options: { step: 1 } }, `"options.step" must be a field, made by numberField`],
    [
      { options: { data: textField({ help: "x" }) } },
      `"options.data" must have another name: every measurement has "data" for something else`,
    ],
    [{ options: { x: textField({ flag: "match-at", help: "x" }) } }, `every measurement has "matchAt"`],
    [{ options: { "step-size": textField({ help: "x" }) } }, `must have a name like stepSize`],
    [{ options: { step: textField({ help: "" }) } }, `"options.step" must have a "help"`],
    [
      { options: { step: numberField({ least: 1, default: 0, help: "x" }) } },
      `"options.step" must have a default that is a number of at least 1: it is 0`,
    ],
    [
      { options: { step: flagField({ requires: "size", help: "x" }) } },
      `names another option, and there is no "size"`,
    ],
  ])("refuses %j, and says what it must be", (changes, message) => {
    expect(() => define(changes)).toThrow(UsageError);
    expect(() => define(changes)).toThrow(`Cannot define a measurement as`);
    expect(() => define(changes)).toThrow(message);
  });

  it("refuses what is no object", () => {
    expect(() => defineMeasurement("x" as never)).toThrow(`it must be an object: it is "x"`);
  });
});

describe("describePlainly()", () => {
  const result = {
    ...{ kind: "small", network: "a.pt", data: "few", examples: 3 },
    meanNorm: 0.5,
    unknown: Number.NaN,
    layers: [
      { weights: 6, name: "fc1", norm: 0.25 },
      { weights: 2, name: "fc2", norm: null },
    ],
    losses: [3, 2, 1],
    shares: { one: 0.5, two: 0.25 },
    note: "of all",
    deep: [[1], [2]],
  };

  it("shows numbers as tiles, lists as tables and lines, texts as facts", () => {
    const { tiles, sections, facts, notes } = describePlainly(result, "Small");
    expect(tiles).toEqual([{ name: "mean norm", value: "0.5000", unit: "", more: [] }]);
    expect(sections).toHaveLength(1);
    expect(sections[0]?.tables).toMatchObject([
      {
        name: "layers",
        columns: [
          { title: "Name", kind: "text" },
          { title: "Weights", kind: "count" },
          { title: "Norm", kind: "number" },
        ],
        rows: [{ cells: ["fc1", 6, 0.25] }, { cells: ["fc2", 2, null] }],
      },
      { name: "losses", rows: [{ cells: [1, 3] }, { cells: [2, 2] }, { cells: [3, 1] }] },
      { name: "shares", rows: [{ cells: ["one", 0.5] }, { cells: ["two", 0.25] }] },
    ]);
    expect(sections[0]?.figures).toMatchObject([
      {
        table: "losses",
        plot: {
          kind: "lines",
          series: [
            {
              points: [
                { x: 1, y: 3 },
                { x: 2, y: 2 },
                { x: 3, y: 1 },
              ],
            },
          ],
        },
      },
    ]);
    expect(facts).toContainEqual({ name: "Note", value: "of all" });
    expect(notes).toEqual([
      'There is no number for "unknown".',
      '"deep" is in the JSON of the result alone.',
    ]);
  });

  it("describes any JSON, with names that elements and files can have, no two alike", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), (found) => {
        const { sections, tiles } = describePlainly({ ...found, kind: "any", ...NOWHERE }, "Any");
        const names = sections.flatMap(({ tables }) => tables.map(({ name }) => name));
        for (const name of names) expect(name).toMatch(/^[a-z0-9][a-z0-9-]*$/);
        expect(new Set(names).size).toBe(names.length);
        expect(tiles.every(({ value }) => value.length > 0)).toBe(true);
        for (const { tables } of sections)
          for (const { columns, rows } of tables)
            expect(columns.length > 0 && rows.every(({ cells }) => cells.length === columns.length)).toBe(
              true,
            );
      }),
    );
  });
});

/** What the form of a result would refuse if a file said it in another form. */
const NOWHERE = {
  network: undefined,
  a: undefined,
  b: undefined,
  networks: undefined,
  data: undefined,
  examples: undefined,
  engine: undefined,
  options: undefined,
};
