import type { StrictnessOptions } from "@isthmus/recipe";
import type { Context } from "../verb.ts";
import { addRareOptions, HELP_GROUPS } from "./help-groups.ts";
import { type AddOptions, optionGroup } from "./option-group.ts";

/** Options of verbs that read a recipe. */
export type RecipeReadingOptions = {
  /** True to refuse a recipe with parts that have no effect. @defaultValue each gives a warning */
  readonly strict?: true | undefined;
  /**
   * Name of the document to make, in a file of several recipes.
   * @defaultValue the document without a name, else the last that no other names
   */
  readonly document?: string | undefined;
};

/** Adds the options of verbs that read a recipe. */
export const addRecipeReadingOptions: AddOptions<RecipeReadingOptions> = optionGroup((command) => {
  addRareOptions(command.optionsGroup(HELP_GROUPS.recipes), (rare) =>
    rare
      .option(
        "--strict",
        "of a recipe: refuse what has no effect in it, such as unknown keys (default: a warning each)",
      )
      .option(
        "--document <name>",
        "of a recipe in a file of several documents: the name of the one to make (default: the one without a name, else the last that no other names)",
      ),
  );
});

/** Strictness with which a recipe is read, and the warnings so far. */
export interface RecipeReading extends StrictnessOptions {
  /** Warnings about the recipe so far; the list grows while the recipe is read. */
  readonly warnings: readonly string[];
}

/** Notes warnings of a recipe on standard error, and keeps them for the result. */
export function noteWarnings(
  { strict }: Pick<RecipeReadingOptions, "strict">,
  { terminal }: Pick<Context, "terminal">,
): RecipeReading {
  const warnings: string[] = [];
  return {
    strict: strict === true,
    warnings,
    onWarning(warning) {
      warnings.push(warning);
      terminal.note(`warning: ${warning}`);
    },
  };
}
