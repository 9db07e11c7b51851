import { describe, expect, test } from "vitest";
import { parseRecipe, type ReadRecipeOptions } from "./parse-recipe.ts";

const read = (text: string, options: ReadRecipeOptions = {}) => {
  const warnings: string[] = [];
  const recipe = parseRecipe(text, "r.yml", { onWarning: (warning) => warnings.push(warning), ...options });
  return { recipe, warnings };
};
const document = (models: string, name = "") =>
  `${name === "" ? "" : `name: ${name}\n`}merge_method: linear\nmodels: [${models}]\n`;
const join = (...documents: readonly string[]) => documents.join("---\n");

const FIRST = { name: "first", merge_method: "linear", models: [{ model: "a" }, { model: "b" }] };

describe("documents of one file", () => {
  test("are models of each other by their names, in any order", () => {
    const documents = [
      document("{ model: a }, { model: b }", "first"),
      document("{ model: first }, { model: c }", "second"),
      `merge_method: ties\nbase_model: first\nmodels: [{ model: { model: { path: second } } }]\ntokenizer_source: first\n`,
    ];
    const second = { name: "second", merge_method: "linear", models: [{ model: FIRST }, { model: "c" }] };
    const expected = {
      ...{ merge_method: "ties", base_model: FIRST, models: [{ model: second }] },
      tokenizer_source: FIRST,
    };
    expect(read(join(...documents))).toEqual({ recipe: expected, warnings: [] });
    expect(read(join(...documents.reverse())).recipe).toEqual(expected);
    expect(read(`---\n${join(...documents)}---\n`).recipe).toEqual(expected);
  });

  test("give the one without a name, else the last that no other names, or the one that is asked for", () => {
    const text = join(
      document("{ model: second }, { model: c }", "third"),
      document("{ model: first }, { model: c }", "second"),
      document("{ model: a }, { model: b }", "first"),
    );
    expect(read(text).recipe.name).toBe("third");
    const { recipe, warnings } = read(text, { document: "first" });
    expect(recipe).toEqual(FIRST);
    expect(warnings).toEqual([
      'r.yml:1: "name" is of a document that nothing is made of, as none that is made names it: leave it out',
      'r.yml:5: "name" is of a document that nothing is made of, as none that is made names it: leave it out',
    ]);
    expect(() => read(text, { document: "frist" })).toThrow('did you mean "first"?');
    expect(() => read(text, { document: "first", strict: true })).toThrow("each must be needed");
  });

  test("have names without effect where there is only one", () => {
    const { recipe, warnings } = read(document("{ model: a }, { model: b }", "first"));
    expect(recipe).toEqual(FIRST);
    expect(warnings).toEqual([
      'r.yml:1: "name" has no effect as there is no other document in the file that could name it',
    ]);
    // The name of the only document may be the path of a model.
    expect(read(document("{ model: a }, { model: b }", "a")).recipe.models?.[0]?.model).toBe("a");
  });

  test.each([
    [
      join(document("{ model: a }"), document("{ model: b }")),
      'r.yml:4: "merge_method" has no "name", as another document: name all but one',
    ],
    [
      join(document("{ model: a }", "x"), document("{ model: b }", "x")),
      'r.yml:5: "name" must be another: there is a "x" before',
    ],
    [
      join(document("{ model: v }", "u"), document("{ model: u }", "v")),
      'r.yml:3: "models[0].model" needs "v", which needs this document itself',
    ],
    [
      join(document("{ model: a }", "x"), document("{ model: x+lora }")),
      'r.yml:6: "models[0].model" must be the name "x" alone, as a document has no revision',
    ],
    [
      join(document("{ model: a }", "x"), document("{ modl: x }")),
      'r.yml:6: "models[0].modl" is no key here; did you mean "model"?',
    ],
    [
      join(
        document("{ model: a }, { model: b }", "n0"),
        ...Array.from({ length: 30 }, (_, i) => document(`{ model: n${i} }, { model: n${i} }`, `n${i + 1}`)),
      ),
      "it may need 100 others, each counted as often as it is named",
    ],
  ])("are refused with the line of what is wrong (%#)", (text, message) => {
    expect(() => read(text)).toThrow(message);
  });
});
