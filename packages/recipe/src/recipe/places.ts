import { InputError, isIsthmusError, MismatchError } from "@isthmus/core";
import { formatPlace } from "../read/positions.ts";
import type { Path, Problem, StrictnessOptions } from "./problem.ts";

/** Most problems that one error lists, and most warnings of one check. */
const [SHOWN, MOST_WARNINGS] = [8, 50];
/** Most characters of the description of one problem, because keys of a file may have any length. */
const MOST_CHARACTERS = 1000;

/** The places of one recipe, as messages name them: with file and line if the recipe was read from a file. */
export interface RecipePlaces {
  /** Formats a place, such as `merge.yml:3: "models[0].model"`. */
  format(path: Path): string;
  /**
   * Throws one error that lists problems with their places; tolerated problems are warnings instead, unless
   * the recipe is read strictly.
   *
   * @param what - the attempt and the rule, such as `Cannot plan the recipe as settings must have an effect`
   * @throws InputError if a problem is not tolerated
   */
  reject(what: string, problems: readonly Problem[]): void;
  /** Opens a network or a recipe. If that fails, the message names the place in the recipe. */
  open<T>(path: Path, open: () => Promise<T>): Promise<T>;
  /** Returns an error with the place in the recipe that names the network concerned. */
  locate(path: Path, error: InputError | MismatchError): Error;
}

/** Creates the places of a recipe; warnings are received, or refused, as the options say. */
export function placesOf(
  recipe: object,
  { strict = false, onWarning }: StrictnessOptions = {},
): RecipePlaces {
  const format = (path: Path) => formatPlace(recipe, path);
  const locate: RecipePlaces["locate"] = (path, error) => {
    const message = `${error.message} (${format(path)})`;
    return "parameters" in error
      ? new MismatchError(message, { parameters: error.parameters, input: error.input, cause: error })
      : new InputError(message, { input: error.input, cause: error });
  };
  return {
    format,
    locate,
    reject(what, problems) {
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
    },
    async open(path, open) {
      try {
        return await open();
      } catch (error) {
        throw isIsthmusError(error, "InputError") ? locate(path, error as InputError) : error;
      }
    },
  };

  function describe({ path, text }: Problem): string {
    const described = `${format(path)} ${text}`;
    return described.length > MOST_CHARACTERS ? `${described.slice(0, MOST_CHARACTERS)}...` : described;
  }
}
