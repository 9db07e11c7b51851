import type { Path, Problem } from "../recipe/problem.ts";
import type {
  BlockSetting,
  ConditionalSetting,
  Gradient,
  Scalar,
  Setting,
  Settings,
} from "../recipe/recipe.ts";
import { isMap } from "../recipe/shape.ts";
import { readBlockValues } from "./block-values.ts";

/** Settings at one place in a recipe: of an input, a slice, a module, or the whole recipe. */
export interface Level {
  /** Settings by the names of parameters. */
  readonly settings: Settings;
  /** Keys and positions that lead to the settings in the recipe. */
  readonly path: Path;
}

/** Block of a diffusion model that a value is for. */
export interface BranchBlock {
  /** Kind of the model, a key of `BLOCK_ARCHITECTURES`. */
  readonly architecture: string;
  /** Name of the block, such as `IN04`. */
  readonly name: string;
  /** Path of the setting that gives values by blocks. */
  readonly setting: Path;
}

/** A value or gradient of a setting, with its filter or block and place. */
export interface Branch {
  /** Path of the value in the recipe. */
  readonly path: Path;
  /** Filter of the value; undefined if it has none. */
  readonly filter: string | undefined;
  /** Block that the value is for; undefined if it is not given by blocks. */
  readonly block: BranchBlock | undefined;
  /** Whether the value stands in a list of filters, even without a filter. */
  readonly isConditional: boolean;
  /** Value, or values along the layers. */
  readonly value: Scalar | Gradient;
}

/** Lists the values of a setting, in the order in which their filters and blocks are tried. */
export function listBranches(setting: Setting, path: Path): readonly Branch[] {
  return listItems(setting, path).flatMap(({ item, path: at }): readonly Branch[] => {
    if (!isConditional(item))
      return [{ path: at, filter: undefined, block: undefined, isConditional: false, value: item }];
    if (!("blocks" in item)) {
      const { filter, value } = item;
      return [{ path: at, filter, block: undefined, isConditional: true, value: value as Scalar | Gradient }];
    }
    const { values = [] } = readBlockValues(item, at);
    return values.map(({ path: place, name, value }) => ({
      path: place,
      filter: undefined,
      block: { architecture: item.blocks, name, setting: at },
      isConditional: true,
      value,
    }));
  });
}

/** Lists the problems of the numbers and names of values by blocks in a setting. */
export function findBlockValueProblems(setting: Setting, path: Path): readonly Problem[] {
  return listItems(setting, path).flatMap(({ item, path: at }) => {
    if (!isConditional(item) || !("blocks" in item)) return [];
    return readBlockValues(item, at).problems ?? [];
  });
}

/** A filter or blocks with values, or a value for all tensors, and its path in the recipe. */
interface Item {
  readonly item: Scalar | Gradient | ConditionalSetting | BlockSetting;
  readonly path: Path;
}

function listItems(setting: Setting, path: Path): readonly Item[] {
  if (Array.isArray(setting) && setting.some(isConditional))
    return setting.map((item, i) => ({
      item: item as ConditionalSetting | BlockSetting,
      path: [...path, i],
    }));
  return [{ item: setting as Item["item"], path }];
}

function isConditional(value: unknown): value is ConditionalSetting | BlockSetting {
  return isMap(value) && !("search" in value);
}
