import { InputError } from "@isthmus/core";
import type { Recipe } from "@isthmus/recipe";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withOtherType, withStrangeKey } from "../../../../test/helpers/mutate-json.ts";
import { type SearchCandidateParams, searchCandidateTask } from "./search-candidate-task.ts";

const RECIPE: Recipe = {
  merge_method: "linear",
  models: [{ model: "a.safetensors", parameters: { weight: { search: [0, 1] } } }],
};
const PARAMS: Omit<SearchCandidateParams, "recipe"> = {
  values: [0.5],
  seed: 0,
  judge: {
    data: "npz:stripes.npz:test",
    score: "loss",
    mean: 0.5,
    std: 0.5,
    graph: "model.onnx",
    exportedFrom: "a.safetensors",
    unread: "keep",
  },
  digest: "0123456789abcdef0123456789abcdef",
};
const check = (params: unknown) => () => searchCandidateTask.assertParams?.(params);

describe("searchCandidateTask", () => {
  it("searchCandidateTask takes its parameters, and none with a part of another type or a key more", () => {
    expect(check({ ...PARAMS, recipe: RECIPE })).not.toThrow();
    const spoilt = fc.oneof(withOtherType(PARAMS), withStrangeKey(PARAMS));
    fc.assert(
      fc.property(spoilt, ({ value }) => {
        const params = typeof value === "object" && value !== null ? { recipe: RECIPE, ...value } : value;
        expect(check(params)).toThrow(InputError);
      }),
      { numRuns: 500 },
    );
  });

  it("searchCandidateTask refuses what is no recipe", () => {
    expect(check({ ...PARAMS, recipe: { ...RECIPE, modles: [] } })).toThrow(/modles/);
  });
});
