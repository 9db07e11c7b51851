import { join } from "node:path";
import { type Checkpoint, createCheckpoint, createTensor } from "@isthmus/core";
import { describe, expect, test } from "vitest";
import { inFreshFolders } from "../../../../test/helpers/fresh-folder.ts";
import { planRecipe } from "../plan/plan-recipe.ts";
import { parseRecipe } from "../read/parse-recipe.ts";
import { coverChoices } from "../recipe/choices.ts";
import type { ModelReference } from "../recipe/recipe.ts";
import { searchMerge } from "./search-merge.ts";
import { searchRecipe } from "./search-recipe.ts";
import { fillSearched, listSearched } from "./search-space.ts";

const LAYERS = 6;
const DEEP = {
  merge_method: { choose: ["linear", "ties", "slerp"] },
  slices: Array.from({ length: LAYERS }, () => ({ choose: ["a", "b", "c"] })),
  parameters: { weight: { search: [0, 1] } },
};
/** Planted: the best are ties, b at even depths and a at odd ones, and the weight .7. */
const PLANTED = ["b", "a", "b", "a", "b", "a"];
async function scoreOf({ merge_method, slices, parameters: { weight } }: typeof DEEP): Promise<number> {
  const wrong = PLANTED.filter((best, i) => String(slices[i]) !== best).length;
  return wrong + (String(merge_method) === "ties" ? 0 : 2) + Math.abs(Number(weight) - 0.7);
}

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

describe("choices of a search", () => {
  test("find planted options and a number beside them, and say how often each won", async () => {
    for (const seed of [0, 1, 2]) {
      const { best, choices, candidates } = await searchRecipe(DEEP, {
        evaluate: scoreOf,
        evaluations: 500,
        seed,
      });
      expect(best.recipe.slices).toEqual(PLANTED);
      expect(best.chosen).toMatchObject({ merge_method: "ties", "slices.0": "b", "slices.1": "a" });
      expect(best.values["parameters.weight"]).toBeCloseTo(0.7, 1);
      const [method, ...layers] = choices;
      expect(method?.path).toBe("merge_method");
      expect(layers).toHaveLength(LAYERS);
      for (const { options } of choices) {
        expect(options.reduce((sum, { tried }) => sum + tried, 0)).toBe(candidates.length);
        expect(options.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 12);
        for (const { probability } of options) expect(probability).toBeGreaterThan(0.01);
      }
      const ties = method?.options[1];
      expect(ties?.option).toBe("ties");
      expect(ties?.won).toBeGreaterThan(method?.options[0]?.won ?? Number.NaN);
    }
  });

  test("go on from a journal to the same result", async () => {
    const journal = join(folder, "search.json");
    const options = { evaluations: 80, seed: 5 };
    const whole = await searchRecipe(DEEP, { ...options, evaluate: scoreOf });
    let left = 33;
    const evaluate = async (recipe: typeof DEEP) => {
      if (left-- === 0) throw new Error("killed");
      return scoreOf(recipe);
    };
    await expect(searchRecipe(DEEP, { ...options, evaluate, journal })).rejects.toThrow("killed");
    expect(await searchRecipe(DEEP, { ...options, evaluate: scoreOf, journal })).toEqual(whole);
  });

  test("of options alone end when nothing better comes, and judge each combination once", async () => {
    const judged: string[] = [];
    const recipe = { a: { choose: [1, 2, 3] }, b: { choose: [true, false] } };
    const { best, stopped, candidates } = await searchRecipe(recipe, {
      async evaluate(filled) {
        judged.push(JSON.stringify(filled));
        return Number(filled.a) * (filled.b ? 1 : -1);
      },
      evaluations: 1000,
      goal: "maximize",
    });
    expect(best.recipe).toEqual({ a: 3, b: true });
    expect(stopped).toBe("flat");
    expect(candidates.length).toBeLessThan(400);
    expect(new Set(judged).size).toBe(judged.length);
  });

  test("have marks within options, and are refused in a wrong form", async () => {
    const recipe = { m: { choose: [{ t: { search: [0, 2] } }, "plain"] }, last: { search: [5, 6] } };
    expect(listSearched(recipe).map(({ path }) => path)).toEqual(["m", "m.choose.0.t", "last"]);
    expect(fillSearched(recipe, [0, 1.5, 5])).toEqual({ m: { t: 1.5 }, last: 5 });
    expect(fillSearched(recipe, [1, 1.5, 5])).toEqual({ m: "plain", last: 5 });
    const evaluate = async () => 0;
    for (const [choose, said] of [
      [["a"], "needs two options: it has 1"],
      [["a", "b", "a"], "must differ: a is there twice"],
    ] as const)
      await expect(searchRecipe({ x: { choose } }, { evaluate })).rejects.toThrow(said);
    await expect(searchRecipe({ x: { choose: [1, 2], start: 1 } }, { evaluate })).rejects.toThrow(
      'has only choose: it has "start"',
    );
  });

  test("cover every option of every choice", () => {
    const recipe = { a: { choose: [{ b: { choose: [1, 2] } }, 3] }, list: [{ choose: [4, "none"] }, 5] };
    expect(coverChoices(recipe)).toEqual([
      { a: { b: 1 }, list: [4, 5] },
      { a: { b: 2 }, list: [5] },
      { a: 3, list: [4, 5] },
    ]);
  });
});

const STACK = `
merge_method: { choose: [passthrough, linear] }
slices:
  - sources: [{ model: &each { choose: [a, b] }, layer_range: [0, 1] }]
  - choose:
      - sources: [{ model: *each, layer_range: [1, 2] }]
      - none
  - sources: [{ model: *each, layer_range: { choose: [[0, 1], [1, 2]] } }]
`;

describe("choices in recipes", () => {
  const open = async (reference: ModelReference): Promise<Checkpoint> => {
    const first = reference === "a" ? 1 : 10;
    const layer = (i: number) => createTensor("f32", [1], Float32Array.of(first + i));
    return createCheckpoint({ "layers.0.w": layer(0), "layers.1.w": layer(1) }, {}, String(reference));
  };

  test("choose the model and the layer at each depth, and leave depths out", async () => {
    const { best } = await searchMerge(parseRecipe(STACK), {
      open,
      evaluations: 200,
      // Planted: layer 0 of b, then layer 1 of a, and nothing else.
      async judge({ network }) {
        if (network.tensors.size !== 2) return 100;
        const at = async (i: number) => Number((await network.read(`layers.${i}.w`)).data[0]);
        return Math.abs((await at(0)) - 10) + Math.abs((await at(1)) - 2);
      },
    });
    expect(best.score).toBe(0);
    expect(best.recipe.slices).toEqual([
      { sources: [{ model: "b", layer_range: [0, 1] }] },
      { sources: [{ model: "a", layer_range: [1, 2] }] },
    ]);
  });

  test("are named in messages: options that are wrong, and a merge without a search", async () => {
    expect(() => parseRecipe("merge_method: { choose: [linear, 3] }\nmodels: [{ model: a }]")).toThrow(
      '"merge_method.choose[1]" must be a text: it is 3',
    );
    expect(() => parseRecipe("merge_method: linear\nmodels: [{ choose: [{ modle: a }, none] }]")).toThrow(
      /modle/,
    );
    await expect(planRecipe(parseRecipe(STACK), { open })).rejects.toThrow(
      /"merge_method" is to be chosen: run isthmus search/,
    );
  });
});
