import { readTextFile } from "@isthmus/core";
import { basename } from "@isthmus/platform";
import { type Problem, parseForm, type RecipePlaces, type StrictnessOptions } from "@isthmus/recipe";
import { findGateMode } from "./gate-modes.ts";
import { MIXTURE_RECIPE_DEFAULTS, type MixtureRecipe } from "./mixture-recipe.ts";
import { mixtureRecipeShape } from "./mixture-recipe-shape.ts";

/** A recipe of a mixture whose form was checked, with its places for messages. */
export interface ReadMixtureRecipe {
  /** The recipe. */
  readonly recipe: MixtureRecipe;
  /** Places of the recipe, by which later problems with it are reported. */
  readonly places: RecipePlaces;
  /** The recipe as text. */
  readonly text: string;
}

/** Most experts of a mixture; the largest that are published have some hundreds. */
const MOST_EXPERTS = 512;
/** Most characters of a prompt. */
const LONGEST_PROMPT = 2 ** 17;

/**
 * Reads the recipe of a mixture from a YAML file as mergekit-moe reads it, and checks its form; no model is
 * opened. Unknown keys are warnings.
 * @throws InputError if the file cannot be read, or has not the form; the message names lines and keys
 * @throws FormatError if it is not YAML
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { writeFile } from "node:fs/promises";
 * import { readMixtureRecipe } from "@isthmus/mixtures";
 *
 * const text = "base_model: base\ngate_mode: random\nexperts: [{ source_model: writer }]\n";
 * await writeFile("experts.yml", text);
 * const { recipe } = await readMixtureRecipe("experts.yml");
 * assert.equal(recipe.experts.length, 1);
 * ```
 */
export async function readMixtureRecipe(
  path: string,
  options: StrictnessOptions = {},
): Promise<ReadMixtureRecipe> {
  return parseMixtureRecipe(await readTextFile(path), basename(path), options);
}

/**
 * Parses the recipe of a mixture from YAML, and checks its form.
 * @param name - name of the file, for messages
 * @throws InputError if the text has not the form; the message lists every problem with its line
 * @throws FormatError if it is not YAML
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseMixtureRecipe } from "@isthmus/mixtures";
 *
 * const { recipe } = parseMixtureRecipe(`
 * base_model: base
 * gate_mode: random
 * experts: [{ source_model: writer }, { source_model: coder }]
 * `);
 * assert.equal(recipe.experts.length, 2);
 * const few = "base_model: base\nexperts_per_token: 3\nexperts: [{ source_model: writer }]";
 * assert.throws(() => parseMixtureRecipe(few), /recipe:2: "experts_per_token" must be at most 1/);
 * ```
 */
export function parseMixtureRecipe(
  text: string,
  name: string = "recipe",
  options: StrictnessOptions = {},
): ReadMixtureRecipe {
  const { value, places } = parseForm({ text, name, shape: mixtureRecipeShape() }, options);
  const recipe = value as unknown as MixtureRecipe;
  places.reject("Cannot read the recipe as it must describe a mixture", findMixtureProblems(recipe));
  return { recipe, places, text };
}

/** Lists what is wrong with a recipe of the right form before any model is opened. */
function findMixtureProblems(recipe: MixtureRecipe): readonly Problem[] {
  const { experts, experts_per_token: active = 1 } = recipe;
  if (experts.length < 1 || experts.length > MOST_EXPERTS)
    return [{ path: ["experts"], text: `must be 1 to ${MOST_EXPERTS} models: there are ${experts.length}` }];
  const tooMany =
    active <= experts.length
      ? []
      : [
          {
            path: ["experts_per_token"],
            text: `must be at most ${experts.length}, the number of experts: it is ${active}`,
          },
        ];
  return [...tooMany, ...findLongPrompts(recipe), ...findPromptProblems(recipe)];
}

/** Lists prompts that are too long. */
function findLongPrompts({ experts, shared_experts: shared = [] }: MixtureRecipe): readonly Problem[] {
  const lists = Object.entries({ experts, shared_experts: shared });
  return lists.flatMap(([key, list]) =>
    list.flatMap((expert, i) =>
      PROMPTS.flatMap((prompts) => {
        const { [prompts]: texts = [] } = expert;
        return texts.flatMap(({ length }, k): readonly Problem[] => {
          if (length <= LONGEST_PROMPT) return [];
          const text = `must have at most ${LONGEST_PROMPT} characters: it has ${length}`;
          return [{ path: [key, i, prompts, k], text }];
        });
      }),
    ),
  );
}

const PROMPTS = ["positive_prompts", "negative_prompts"] as const;

/** Lists experts without the prompts that the mode of gates needs, and prompts that tell no experts apart. */
function findPromptProblems({
  gate_mode: name,
  experts,
  shared_experts: shared = [],
}: MixtureRecipe): readonly Problem[] {
  const { needsPrompts, name: mode } = findGateMode(name ?? MIXTURE_RECIPE_DEFAULTS.gate_mode);
  const withPrompts = shared.filter(({ positive_prompts: prompts = [] }) => prompts.length > 0).length;
  const mixed =
    withPrompts === 0 || withPrompts === shared.length
      ? []
      : [{ path: ["shared_experts"], text: "must have positive_prompts each, or none of them" }];
  if (!needsPrompts) return mixed;
  const missing = experts.flatMap(({ positive_prompts: prompts = [] }, i): readonly Problem[] =>
    prompts.length > 0
      ? []
      : [
          {
            path: ["experts", i],
            text: `must have positive_prompts, texts that should be sent to it, for gate_mode ${mode}`,
          },
        ],
  );
  const keyOf = (i: number) =>
    JSON.stringify([experts[i]?.positive_prompts ?? [], experts[i]?.negative_prompts ?? []]);
  const isSame = experts.length > 1 && missing.length === 0 && experts.every((_, i) => keyOf(i) === keyOf(0));
  const same = isSame
    ? [{ path: ["experts"], text: "must not have the same prompts all, which send all tokens alike" }]
    : [];
  return [...mixed, ...missing, ...same];
}
