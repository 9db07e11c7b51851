import type { Path } from "../recipe/problem.ts";
import type { ConditionalSetting, Gradient, Scalar, Setting, Settings } from "../recipe/recipe.ts";
import { isMap } from "../recipe/shape.ts";

/** Settings at one place in a recipe: of an input, a slice, a module, or the whole recipe. */
export interface Level {
  /** Settings by the names of parameters. */
  readonly settings: Settings;
  /** Keys and positions that lead to the settings in the recipe. */
  readonly path: Path;
}

/** A value or gradient of a setting, with its filter and place. */
export interface Branch {
  /** Path of the value in the recipe. */
  readonly path: Path;
  /** Filter of the value; undefined if it has none. */
  readonly filter: string | undefined;
  /** Whether the value stands in a list of filters, even without a filter. */
  readonly isConditional: boolean;
  /** Value, or values along the layers. */
  readonly value: Scalar | Gradient;
}

/** Lists the values of a setting, in the order in which their filters are tried. */
export function listBranches(setting: Setting, path: Path): readonly Branch[] {
  if (isConditional(setting)) return [branchOf(setting, path)];
  if (Array.isArray(setting) && setting.some(isConditional))
    return (setting as readonly ConditionalSetting[]).map((item, i) => branchOf(item, [...path, i]));
  return [{ path, filter: undefined, isConditional: false, value: setting as Scalar | Gradient }];
}

function branchOf({ filter, value }: ConditionalSetting, path: Path): Branch {
  return { path, filter, isConditional: true, value: value as Scalar | Gradient };
}

function isConditional(value: unknown): value is ConditionalSetting {
  return isMap(value) && !("search" in value);
}
