import { closestName } from "@isthmus/core";
import { BLOCK_ARCHITECTURES } from "../diffusion/diffusion-blocks.ts";
import { isMap, type Shape } from "./shape.ts";

const TEXT: Shape = { kind: "text" };
const NUMBER: Shape = { kind: "number" };
const TRUTH: Shape = { kind: "truth" };

const MARK: Shape = {
  kind: "map",
  name: "searchMark",
  keys: {
    search: {
      shape: { kind: "list", items: NUMBER, length: 2 },
      description: "Ends of the range that isthmus search looks in.",
      required: true,
    },
    start: { shape: NUMBER, description: "Where the search begins." },
  },
};

const VALUE: Shape = {
  kind: "either",
  name: "value",
  what: "a number, a text, or true or false",
  options: () => [NUMBER, TEXT, TRUTH, MARK, CHOICE],
  choose: chooseValue,
};
const CHOICE: Shape = {
  kind: "map",
  name: "choiceMark",
  keys: {
    choose: {
      shape: { kind: "list", items: VALUE },
      description: "Values of which isthmus search chooses one.",
      required: true,
    },
  },
};
const GRADIENT: Shape = { kind: "list", items: VALUE };

const VALUE_OR_GRADIENT: Shape = {
  kind: "either",
  name: "valueOrGradient",
  what: "a number, a text, true or false, or a list of these along the layers",
  options: () => [NUMBER, TEXT, TRUTH, MARK, CHOICE, GRADIENT],
  choose: (value) => (Array.isArray(value) ? GRADIENT : chooseValue(value)),
};

const CONDITIONAL: Shape = {
  kind: "map",
  name: "conditional",
  keys: {
    filter: {
      shape: TEXT,
      description:
        "Part of a tensor's name, a pattern with * and ?, or a regular expression between slashes.",
    },
    value: {
      shape: VALUE_OR_GRADIENT,
      description: "The value of the tensors that it names.",
      required: true,
    },
  },
};
const BLOCK_VALUES: Shape = { kind: "table", values: VALUE };
const BLOCKS: Shape = {
  kind: "map",
  name: "blocks",
  keys: {
    blocks: {
      shape: { kind: "text", choices: [...BLOCK_ARCHITECTURES.keys()] },
      description: "The kind of diffusion model whose blocks have values.",
      required: true,
    },
    value: {
      shape: {
        kind: "either",
        name: "blockValues",
        what: "a list of values, a text of values with commas, or values by the names of blocks",
        options: () => [TEXT, GRADIENT, BLOCK_VALUES],
        choose: (value) => {
          if (Array.isArray(value)) return GRADIENT;
          return isMap(value) ? BLOCK_VALUES : typeof value === "string" ? TEXT : undefined;
        },
      },
      description: "A value for each block, in their order or by their names.",
      required: true,
    },
  },
};
const CHOSEN: Shape = {
  kind: "either",
  name: "chosen",
  what: "a filter with a value, or blocks with values",
  options: () => [CONDITIONAL, BLOCKS],
  choose: (value) => (isMap(value) && "blocks" in value ? BLOCKS : CONDITIONAL),
};
const CONDITIONALS: Shape = { kind: "list", items: CHOSEN };

const SETTING: Shape = {
  kind: "either",
  name: "setting",
  what: "a value, a list of values along the layers, or a list of filters or blocks with values",
  options: () => [NUMBER, TEXT, TRUTH, MARK, CHOICE, GRADIENT, CONDITIONAL, BLOCKS, CONDITIONALS],
  choose(value) {
    if (Array.isArray(value)) return value.some(isConditional) ? CONDITIONALS : GRADIENT;
    return isConditional(value) ? CHOSEN : chooseValue(value);
  },
};

/** Form of settings by the names of parameters. */
export const SETTINGS: Extract<Shape, { readonly kind: "table" }> = { kind: "table", values: SETTING };

function chooseValue(value: unknown): Shape | undefined {
  if (typeof value === "number") return NUMBER;
  if (typeof value === "string") return TEXT;
  if (typeof value === "boolean") return TRUTH;
  if (!isMap(value)) return undefined;
  return meantKeyOf(value) === "choose" ? CHOICE : MARK;
}

function isConditional(item: unknown): boolean {
  return isMap(item) && !MARKS.includes(meantKeyOf(item) ?? "");
}

/** Keys of which each decides what a map in place of a value is. */
const MARKS = ["search", "choose"];
const DECIDING = [...MARKS, "filter", "value", "blocks"];

/** Returns the key that decides what a map is, also if it is misspelt; undefined if it has none. */
function meantKeyOf(map: Readonly<Record<string, unknown>>): string | undefined {
  const present = DECIDING.find((key) => key in map);
  return present ?? Object.keys(map).flatMap((key) => closestName(key, DECIDING) ?? [])[0];
}
