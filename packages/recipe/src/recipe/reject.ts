import { InputError } from "@isthmus/core";
import { formatPlace } from "../read/positions.ts";
import type { Problem, StrictnessOptions } from "./problem.ts";

/** Most problems that one error lists, and most warnings of one check. */
const [SHOWN, MOST_WARNINGS] = [8, 50];
/** Most characters of the description of one problem, because keys of a file may have any length. */
const MOST_CHARACTERS = 1000;

/**
 * Throws one error that lists the problems of a recipe with their places; tolerated problems are warnings
 * instead, unless the recipe is read strictly.
 *
 * @param what - the attempt and the rule, such as `Cannot plan the recipe as settings must have an effect`
 */
export function rejectRecipe(
  recipe: object,
  what: string,
  problems: readonly Problem[],
  { strict = false, onWarning }: StrictnessOptions = {},
): void {
  const describe = ({ path, text }: Problem) => {
    const described = `${formatPlace(recipe, path)} ${text}`;
    return described.length > MOST_CHARACTERS ? `${described.slice(0, MOST_CHARACTERS)}...` : described;
  };
  const isError = ({ tolerated }: Problem) => strict || tolerated === undefined;
  const warnings = problems.filter((problem) => !isError(problem));
  for (const warning of warnings.slice(0, MOST_WARNINGS)) onWarning?.(describe(warning));
  if (warnings.length > MOST_WARNINGS)
    onWarning?.(`${warnings.length - MOST_WARNINGS} more things have no effect`);
  const errors = problems.filter(isError);
  if (errors.length === 0) return;
  const lines = errors.slice(0, SHOWN).map(describe);
  if (errors.length > SHOWN) lines.push(`and ${errors.length - SHOWN} more`);
  throw new InputError(`${what}: ${lines.join("\n  ")}`, { input: "recipe" });
}
