import { closestName } from "@isthmus/core";
import type { ParameterSpec, ParameterValue } from "@isthmus/merging";
import type { Problem } from "../recipe/problem.ts";
import { show } from "../recipe/shape.ts";

/** A fault of a value, and whether it is tolerated. */
export type ScalarProblem = Pick<Problem, "text" | "tolerated">;

/** Returns the type of a parameter's values: the type of its default or of its choices, otherwise number. */
function typeOf({ default: fallback, choices }: ParameterSpec): "number" | "string" | "boolean" {
  return typeof (fallback ?? choices?.at(0) ?? 0) as "number" | "string" | "boolean";
}

/** Spellings of true and of false, as numbers or as texts in lower or upper case. */
const TRUTHS: ReadonlyMap<string, boolean> = new Map([
  ...["1", "true", "yes", "on", "t", "y"].map((text) => [text, true] as const),
  ...["0", "false", "no", "off", "f", "n"].map((text) => [text, false] as const),
]);

/**
 * Reads a value as the parameter's type: texts such as "1e-5" are numbers where a number is expected, and 1
 * or "yes" are true where true or false is expected, as pydantic reads them for mergekit.
 */
export function readScalar(spec: ParameterSpec, value: unknown): unknown {
  const type = typeOf(spec);
  if (type === "boolean" && typeof value !== "boolean")
    return TRUTHS.get(String(value).toLowerCase()) ?? value;
  const isNumeral = typeof value === "string" && value.trim() !== "" && Number.isFinite(Number(value));
  return isNumeral && type === "number" ? Number(value) : value;
}

/** Finds the problem of a value of a parameter; undefined if it has none. */
export function findScalarProblem(spec: ParameterSpec, value: unknown): ScalarProblem | undefined {
  const { least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY, choices, usual } = spec;
  const read = readScalar(spec, value);
  const type = typeOf(spec);
  if (typeof read !== type) {
    const rule = { number: "a number", string: "a text", boolean: "true or false" }[type];
    return { text: `must be ${rule}: it is ${show(value)}` };
  }
  if (type === "boolean" && read !== value)
    return { text: `is read as ${read}: it is ${show(value)}`, tolerated: "spelling" };
  if (typeof read === "number" && !(Number.isFinite(read) && read >= least && read <= most))
    return { text: `must be a number in [${least}, ${most}]: it is ${read}` };
  if (typeof read === "number" && usual !== undefined && !(read >= usual.least && read <= usual.most)) {
    const text = `is meant to be in [${usual.least}, ${usual.most}]: it is ${read}, for which it ${usual.beyond}`;
    return { text, tolerated: "unusual value" };
  }
  if (choices === undefined || choices.includes(read as ParameterValue)) return undefined;
  const meant = typeof read === "string" ? closestName(read, choices.map(String)) : undefined;
  const hint = meant === undefined ? "" : `; did you mean "${meant}"?`;
  return { text: `must be one of ${choices.join(", ")}: it is ${show(read)}${hint}` };
}
