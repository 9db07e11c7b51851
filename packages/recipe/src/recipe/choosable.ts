import { closestName } from "@isthmus/core";
import { isChoice, LEFT_OUT } from "./choices.ts";
import { isMap, type Shape } from "./shape.ts";

/** Returns the form of a value in place of which a recipe for a search may have a choice of such values. */
export function choosable(name: string, shape: Shape): Shape {
  const choice: Shape = {
    kind: "map",
    name: `${name}Options`,
    keys: {
      choose: {
        shape: { kind: "list", items: optionOf(name, shape) },
        description: "Values of which isthmus search chooses one; none in a list leaves the item out.",
        required: true,
      },
    },
  };
  return {
    kind: "either",
    name,
    what: "a value or a choice",
    options: () => [shape, choice],
    choose: (value) => (isChoice(value) || isMisspeltChoice(value) ? choice : shape),
  };
}

/** Checks whether a value is a map of a single key that is probably meant to be `choose`. */
function isMisspeltChoice(value: unknown): boolean {
  const [key = "", ...others] = isMap(value) ? Object.keys(value) : [];
  return others.length === 0 && closestName(key, ["choose"]) !== undefined;
}

/** Returns the form of an option: that of the value, or `none` in place of a part of a recipe. */
function optionOf(name: string, shape: Shape): Shape {
  const none: Shape = { kind: "text", choices: [LEFT_OUT] };
  return shape.kind === "map"
    ? {
        kind: "either",
        name: `${name}Option`,
        what: `keys with values, or ${LEFT_OUT}`,
        options: () => [shape, none],
        choose: (value) => (isMap(value) ? shape : typeof value === "string" ? none : undefined),
      }
    : shape;
}
