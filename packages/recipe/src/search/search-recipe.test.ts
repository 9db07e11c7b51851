import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { inFreshFolders } from "../../../../test/helpers/fresh-folder.ts";
import { searchRecipe } from "./search-recipe.ts";
import { fillSearched, fromUnit, listSearched } from "./search-space.ts";

const recipe = {
  merge_method: "linear",
  models: [
    { model: "a", parameters: { weight: { search: [0, 1] } } },
    { model: "b", parameters: { weight: { search: [-1, 3], start: 0 } } },
  ],
};
/** Least at weights .25 and 2. */
const score = ({ models: [a, b] }: typeof recipe) =>
  (Number(a?.parameters.weight) - 0.25) ** 2 + (Number(b?.parameters.weight) - 2) ** 2;

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

describe("searchRecipe()", () => {
  test("finds the best numbers of all marks, and returns the recipe with them", async () => {
    const { best, candidates } = await searchRecipe(recipe, {
      evaluate: async (r) => score(r),
      evaluations: 300,
    });
    expect(best.values).toEqual({
      "models.0.parameters.weight": expect.closeTo(0.25, 2),
      "models.1.parameters.weight": expect.closeTo(2, 2),
    });
    expect(score(best.recipe)).toBe(best.score);
    expect(candidates.length).toBeLessThanOrEqual(300);
    for (const { values } of candidates)
      expect(values["models.0.parameters.weight"]).toBeGreaterThanOrEqual(0);
  });

  test("looks for large scores if asked", async () => {
    const options = { evaluate: async (r: typeof recipe) => -score(r), evaluations: 120 };
    expect((await searchRecipe(recipe, { ...options, goal: "maximize" })).best.score).toBeGreaterThan(-0.01);
  });

  test("finds the same with candidates judged at once, in whatever order they end", async () => {
    const journal = join(folder, "search.json");
    const options = { evaluations: 60, seed: 3 };
    const one = await searchRecipe(recipe, { ...options, evaluate: async (r) => score(r) });
    let [underWay, most] = [0, 0];
    const scores: number[] = [];
    const many = await searchRecipe(recipe, {
      ...{ ...options, atOnce: 100, journal },
      async evaluate(r, _, values) {
        most = Math.max(most, ++underWay);
        await setTimeout((values[0] ?? 0) * 5);
        underWay--;
        expect(fillSearched(recipe, values)).toEqual(r);
        return score(r);
      },
      onProgress: (progress) => scores.push(progress.score),
    });
    expect(many).toEqual(one);
    expect(scores).toEqual(one.candidates.map((candidate) => candidate.score));
    expect(most).toBeGreaterThan(3);
    const evaluate = () => Promise.reject(new TypeError("judged"));
    expect(await searchRecipe(recipe, { ...options, evaluate, journal })).toEqual(one);
  });

  test("goes on from its journal after it was stopped, and ends the same", async () => {
    const journal = join(folder, "search.json");
    let judged = 0;
    const evaluate = async (r: typeof recipe) => {
      judged++;
      return score(r);
    };
    const options = { evaluate, evaluations: 60, seed: 3 };
    const whole = await searchRecipe(recipe, options);
    const before = judged;
    const failing = async (r: typeof recipe) => {
      if (judged === before + 17) throw new Error("killed");
      return evaluate(r);
    };
    await expect(searchRecipe(recipe, { ...options, evaluate: failing, journal })).rejects.toThrow("killed");
    const resumed = await searchRecipe(recipe, { ...options, journal });
    expect(resumed).toEqual(whole);
    expect(judged - before).toBe(before);
    await expect(searchRecipe(recipe, { ...options, seed: 4, journal })).rejects.toThrow(
      /"seed" is 3 there and 4/,
    );
    const identity = { data: "abc" };
    await expect(searchRecipe(recipe, { ...options, journal, identity })).rejects.toThrow(
      'of the same measurement: it does not say "data"',
    );
  });

  test("says what is wrong with marks, and when nothing could be judged", async () => {
    const evaluate = async () => Number.NaN;
    await expect(searchRecipe({ weight: 1 }, { evaluate })).rejects.toThrow("must be marked with a range");
    await expect(searchRecipe({ weight: { search: [1, 0] } }, { evaluate })).rejects.toThrow("must grow");
    await expect(searchRecipe({ weight: { search: [0] } }, { evaluate })).rejects.toThrow("two numbers");
    await expect(searchRecipe({ w: { search: [0, 1], strat: 1 } }, { evaluate })).rejects.toThrow(
      'has "strat"',
    );
    await expect(searchRecipe(recipe, { evaluate, evaluations: 30 })).rejects.toThrow(/none of \d+ did/);
    await expect(searchRecipe(recipe, { evaluate, evaluations: 2 })).rejects.toThrow(
      "it has 6 merges, and there are 2 evaluations; allow 6 or more",
    );
  });
});

describe("search space", () => {
  test("lists marks and fills them in the same order", () => {
    expect(listSearched(recipe)).toMatchObject([
      { path: "models.0.parameters.weight", start: 0.5 },
      { path: "models.1.parameters.weight", start: 0 },
    ]);
    expect(fillSearched(recipe, [0.1, 2]).models.map(({ parameters }) => parameters.weight)).toEqual([
      0.1, 2,
    ]);
  });

  test("reflects numbers at the ends of their range", () => {
    const number = { path: "x", keys: ["x"], low: 10, high: 20, start: 15 };
    expect([0, 1, 1.25, -0.25, 2, 2.5].map((unit) => fromUnit(number, unit))).toEqual([
      10, 20, 17.5, 12.5, 10, 15,
    ]);
  });
});
