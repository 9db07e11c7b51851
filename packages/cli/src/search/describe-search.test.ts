import { parseRecipe, searchRecipe } from "@isthmus/recipe";
import { expect, test } from "vitest";
import { describeSearch, formatSearch } from "./describe-search.ts";

test("the best merge is shown without marks inside options that it does not have", async () => {
  const recipe = parseRecipe(
    "merge_method: linear\nmodels:\n  - model: a\n  - choose: [{ model: { choose: [b, c] }, parameters: { weight: { search: [0, 1] } } }, none]\n",
  );
  for (const wanted of [1, 2]) {
    const found = await searchRecipe(recipe, {
      evaluate: async ({ models }) => Math.abs((models?.length ?? 0) - wanted),
    });
    const text = formatSearch(
      describeSearch(found, { recipe: "r.yml", goal: "minimize", seed: 0 }),
      found.best,
      found.choices,
    );
    expect(text).toContain("models.1 ");
    expect(text.includes("models.1.choose.0.model")).toBe(wanted === 2);
    expect(text.includes("models.1.choose.0.parameters.weight")).toBe(wanted === 2);
  }
});
