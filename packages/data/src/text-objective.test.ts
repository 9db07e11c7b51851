import { OutOfRangeError } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createTokenDataSet } from "./create-token-data-set.ts";
import { contextOf, windowOf, withObjective } from "./text-objective.ts";

const tokens = Uint16Array.from({ length: 200 }, (_, i) => 10 + ((7 * i) % 50));
const windows = (context: number) => createTokenDataSet(tokens, { context, vocabularySize: 64 });

describe("contextOf()", () => {
  it.each([
    [{}, 512, 64],
    [{ context: "512" }, 512, 512],
    [{ context: "9000" }, 0, 9000],
  ])("of %j and at most %d tokens is %d", (settings, longest, wanted) => {
    expect(contextOf(settings, { context: 64, longest })).toBe(wanted);
  });

  it("refuses more tokens than the model takes", () => {
    const longer = () => contextOf({ context: "513" }, { context: 64, longest: 512 });
    expect(longer).toThrow(OutOfRangeError);
    expect(longer).toThrow("Cannot use examples of 513 tokens as the model takes at most 512");
  });
});

describe("withObjective()", () => {
  it("masks 15 % of the tokens of each example, the same ones however they are read", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 60 }), fc.nat(2), (context, begin) => {
        const plain = windows(context);
        const data = withObjective(plain, { kind: "masked", token: 3 });
        expect(data).toMatchObject({ labelling: "position", exampleShape: [context], size: plain.size });
        const { inputs, labels } = data.read(0, data.size);
        const original = Array.from(plain.read(0, plain.size).inputs.data, Number);
        const ids = Array.from(inputs.data, Number);
        expect(ids.map((id, i) => (id === 3 ? labels[i] : id))).toEqual(original);
        for (let row = 0; row < data.size; row++) {
          const counted = labels.slice(row * context, (row + 1) * context).filter((label) => label >= 0);
          expect(counted.length).toBe(Math.max(1, Math.round(0.15 * context)));
        }
        const alone = data.read(begin, begin + 1);
        expect(alone.labels).toEqual(labels.slice(begin * context, (begin + 1) * context));
      }),
      { numRuns: 30 },
    );
  });

  it("draws other places for other examples", () => {
    const { labels } = withObjective(windows(40), { kind: "masked", token: 3 }).read(0, 2);
    const places = (row: number) => Array.from({ length: 40 }, (_, i) => (labels[40 * row + i] ?? -1) >= 0);
    expect(places(0)).not.toEqual(places(1));
  });

  it("lets an encoder read a half of a window, and a decoder predict the other", () => {
    const objective = { kind: "continued", start: 0 } as const;
    expect([windowOf(3, objective), windowOf(3, undefined)]).toEqual([6, 3]);
    const data = withObjective(windows(6), objective);
    expect(data.exampleShape).toEqual([3]);
    const { inputs, labels, features } = data.read(0, 2);
    expect(Array.from(inputs.data, Number)).toEqual([10, 17, 24, 45, 52, 59]);
    expect(Array.from(labels)).toEqual([31, 38, 45, 16, 23, 30]);
    expect(Array.from(features?.get("decoder_input_ids")?.data ?? [], Number)).toEqual([
      0, 31, 38, 0, 16, 23,
    ]);
  });

  it("leaves data without an objective as they are, and refuses what is no token", () => {
    const plain = windows(4);
    expect(withObjective(plain, undefined)).toBe(plain);
    expect(() => withObjective(plain, { kind: "masked", token: -1 })).toThrow(OutOfRangeError);
    expect(() => withObjective(plain, { kind: "continued", start: 0.5 })).toThrow(
      /the first token of the decoder must be a token id/,
    );
  });
});
