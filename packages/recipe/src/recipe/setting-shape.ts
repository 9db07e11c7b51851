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
  options: () => [NUMBER, TEXT, TRUTH, MARK],
  choose: chooseValue,
};
const GRADIENT: Shape = { kind: "list", items: VALUE };

const VALUE_OR_GRADIENT: Shape = {
  kind: "either",
  name: "valueOrGradient",
  what: "a number, a text, true or false, or a list of these along the layers",
  options: () => [NUMBER, TEXT, TRUTH, MARK, GRADIENT],
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
const CONDITIONALS: Shape = { kind: "list", items: CONDITIONAL };

const SETTING: Shape = {
  kind: "either",
  name: "setting",
  what: "a value, a list of values along the layers, or a list of filters with values",
  options: () => [NUMBER, TEXT, TRUTH, MARK, GRADIENT, CONDITIONAL, CONDITIONALS],
  choose(value) {
    if (Array.isArray(value)) return value.some(isConditional) ? CONDITIONALS : GRADIENT;
    return isMap(value) && !("search" in value) ? CONDITIONAL : chooseValue(value);
  },
};

/** Form of settings by the names of parameters. */
export const SETTINGS: Extract<Shape, { readonly kind: "table" }> = { kind: "table", values: SETTING };

function chooseValue(value: unknown): Shape | undefined {
  if (typeof value === "number") return NUMBER;
  if (typeof value === "string") return TEXT;
  if (typeof value === "boolean") return TRUTH;
  return isMap(value) ? MARK : undefined;
}

function isConditional(item: unknown): boolean {
  return isMap(item) && !("search" in item);
}
