import { expansion, reshaping, slice, split, tile, transposition } from "./movement.ts";
import type { Rule } from "./rule.ts";

/** Rules by operator, for operators that only move and repeat elements, by shapes and constants. */
export const MOVEMENT_RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ["Reshape", reshaping],
  ["Flatten", reshaping],
  ["Squeeze", reshaping],
  ["Unsqueeze", reshaping],
  ["Transpose", transposition],
  ["Expand", expansion],
  ["Tile", tile],
  ["Split", split],
  ["Slice", slice],
]);
