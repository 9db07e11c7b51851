import { MAP } from "@isthmus/barrier";
import { InputError } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type JsonPath,
  valueAt,
  withOtherType,
  withStrangeKey,
} from "../../../../test/helpers/mutate-json.ts";
import { type PairsParams, pairsTask } from "./pairs-task.ts";

const PARAMS: PairsParams = {
  data: {
    data: "npz:stripes.npz:test",
    recalibrateData: "npz:stripes.npz:train",
    recalibrateExamples: 20,
    mean: 0.5,
    std: 0.5,
    tokenizedBy: "/shared/model",
    digest: "0123456789abcdef0123456789abcdef",
    statisticsDigest: "0123456789abcdef0123456789abcdef",
  },
  options: { points: 5, statistics: "recalibrate", batchSize: 100 },
  pairs: [
    [0, 1],
    [1, 2],
  ],
};
const KIND = pairsTask(MAP, MAP.pairs ?? expect.fail());

/** Tells if a list of numbers came in the place of pairs (an empty list is nothing to do), of a mean or of a deviation, which may have it. */
function isListOfNumbers(value: unknown, path: JsonPath): boolean {
  const name = path.at(-1);
  if (name !== "pairs" && name !== "mean" && name !== "std") return false;
  const part = valueAt(value, path);
  return Array.isArray(part) && part.every((one) => typeof one === "number");
}

const check = (params: unknown) => () => KIND.assertParams?.(params);

describe("pairsTask()", () => {
  it("a task of pairs takes its parameters, and none with a part of another type or a key more", () => {
    expect(check(PARAMS)).not.toThrow();
    const spoilt = fc
      .oneof(withOtherType(PARAMS), withStrangeKey(PARAMS))
      .filter(({ value, path }) => !isListOfNumbers(value, path));
    fc.assert(
      fc.property(spoilt, ({ value }) => {
        expect(check(value)).toThrow(InputError);
      }),
      { numRuns: 500 },
    );
  });

  it("a task of pairs names what does not fit", () => {
    const params = { ...PARAMS, options: { ...PARAMS.options, points: 2 } };
    expect(check(params)).toThrow(/"params.options.points" must be at least 3: it is 2/);
  });
});
