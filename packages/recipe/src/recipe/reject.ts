import { InputError } from "@isthmus/core";
import { formatPlace } from "../read/positions.ts";
import type { Problem } from "./shape.ts";

/** Problems that one error lists. */
const SHOWN = 8;

/**
 * Throws one error that lists the problems of a recipe with their places; does nothing if there are none.
 * @param what - what is attempted and the rule, such as `Cannot plan the recipe as settings must have an
 *   effect`
 */
export function rejectRecipe(recipe: object, what: string, problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  const lines = problems.slice(0, SHOWN).map(({ path, text }) => `${formatPlace(recipe, path)} ${text}`);
  if (problems.length > SHOWN) lines.push(`and ${problems.length - SHOWN} more`);
  throw new InputError(`${what}: ${lines.join("\n  ")}`, { input: "recipe" });
}
