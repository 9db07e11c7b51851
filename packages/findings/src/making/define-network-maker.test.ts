import { type Checkpoint, choiceField, numberField, textField, UsageError } from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import { describe, expect, expectTypeOf, it } from "vitest";
import { defineNetworkMaker } from "./define-network-maker.ts";
import type { MakerSubject, MakingControl } from "./network-maker.ts";

const control: MakingControl = {
  signal: new AbortController().signal,
  report() {},
  resuming: { statePath: undefined, resume: false, signal: new AbortController().signal, onProgress() {} },
};
/** A network without weights, as far as makers here look at it. */
const network = { source: "nets/a.safetensors", tensors: new Map() } as unknown as Checkpoint;
const subject: MakerSubject = { network, architecture: undefined, examples: {} };

const SMALL = {
  name: "low-rank",
  summary: "Keep little",
  from: "network",
  make: async (start: { readonly network: Checkpoint }) => start.network,
};

/** Defines a maker that no compiler has checked, as JavaScript can. */
const define = (changes: object) => defineNetworkMaker({ ...SMALL, ...changes } as never);

describe("defineNetworkMaker()", () => {
  it("gives the types of starts, options and examples to whoever writes them", () => {
    const maker = defineNetworkMaker({
      name: "tuned",
      summary: "Tune",
      from: "networks",
      needsGraph: true,
      options: {
        step: numberField({ default: 1, help: "step" }),
        rule: choiceField(["sum", "mean"], { default: "sum", help: "rule" }),
        most: numberField({ help: "most" }),
      },
      examples: { data: { help: "examples" }, cue: { help: "others", isOptional: true } },
      async make({ networks, architecture, examples }, options) {
        expectTypeOf(options.step).toEqualTypeOf<number>();
        expectTypeOf(options.rule).toEqualTypeOf<"sum" | "mean">();
        expectTypeOf(options.most).toEqualTypeOf<number | undefined>();
        expectTypeOf(architecture).toEqualTypeOf<Architecture>();
        expectTypeOf(examples.data).toEqualTypeOf<DataSet>();
        expectTypeOf(examples.cue).toEqualTypeOf<DataSet | undefined>();
        return networks[0] as Checkpoint;
      },
    });
    expect(maker).toMatchObject({ from: "networks", needsGraph: true, version: 1 });
  });

  it("fills in an attempt, a label, a result and a description", async () => {
    const maker = define({ options: { rank: numberField({ default: 8, help: "rank" }) } });
    expect(maker).toMatchObject({
      attempt: "make a network by low-rank",
      does: "make",
      needsGraph: false,
      resumes: false,
      examples: {},
      usage: [],
    });
    expect(maker.labelOf({ rank: 8 }, { data: "few" })).toBe("low-rank, rank 8, data few");
    expect(await maker.make(subject, { rank: 8 }, control)).toEqual({ weights: network, result: {} });
    const result = { kind: "low-rank", network: "nets/a.safetensors", error: 0.5 };
    expect(maker.describe(result)).toMatchObject({
      summary: "Low rank of a.safetensors: error 0.5000.",
      tiles: [{ name: "error", value: "0.5000" }],
    });
  });

  it("returns what is said of a network beside its weights, and a description of one's own", async () => {
    const own = { subject: "x", summary: "Mine", tiles: [], sections: [], facts: [], data: {} };
    const make = async () => ({ weights: network, result: { error: 1 } });
    const maker = define({ make, describe: () => own, labelOf: () => "little" });
    expect(await maker.make(subject, {}, control)).toEqual({ weights: network, result: { error: 1 } });
    expect([maker.describe({}), maker.labelOf({}, {})]).toEqual([own, "little"]);
  });

  it.each([
    [
      { name: undefined },
      `"name" is missing: it must be lower-case words with hyphens between them, such as low-rank`,
    ],
    [{ name: "LowRank" }, `"name" must be lower-case words`],
    [{ name: "../x" }, `"name" must be lower-case words`],
    [{ summary: "a\nb" }, `"summary" must be one line`],
    [{ from: "pair" }, `"from" must be one of network, networks: it is "pair"`],
    [{ make: 1 }, `"make" must be a function: it is 1`],
    [{ version: 0 }, `"version" must be a whole number from 1: it is 0`],
    [{ needsGraph: "yes" }, `"needsGraph" must be true or false: it is "yes"`],
    [{ optoins: {} }, `it has no "optoins": did you mean "options"?`],
    [{ options: { rank: 1 } }, `"options.rank" must be a field, made by numberField`],
    [{ options: { graph: textField({ help: "x" }) } }, `every network maker has "graph" for something else`],
    [{ options: { x: textField({ flag: "resume", help: "x" }) } }, `every network maker has "resume"`],
    [{ examples: { data: { help: "x" } } }, `"needsGraph" must be true if it asks for examples`],
    [{ needsGraph: true, examples: { graph: { help: "x" } } }, `there is a "graph" for something else`],
    [{ needsGraph: true, examples: { data: {} } }, `"examples.data" must be an object with a "help"`],
    [
      { needsGraph: true, examples: { a: { help: "x" } }, options: { a: textField({ help: "x" }) } },
      `"examples.a" must have another name`,
    ],
  ])("refuses %j, and says what it must be", (changes, message) => {
    expect(() => define(changes)).toThrow(UsageError);
    expect(() => define(changes)).toThrow("Cannot define a network maker as");
    expect(() => define(changes)).toThrow(message);
  });

  it("refuses what is no object", () => {
    expect(() => defineNetworkMaker("x" as never)).toThrow(`it must be an object: it is "x"`);
  });
});
