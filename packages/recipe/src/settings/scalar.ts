import { closestName } from "@isthmus/core";
import type { ParameterSpec, ParameterValue } from "@isthmus/merging";
import { show } from "../recipe/shape.ts";

/** Returns the type of a parameter's values: of its default, or its choices, else a number. */
function typeOf({ default: fallback, choices }: ParameterSpec): "number" | "string" | "boolean" {
  return typeof (fallback ?? choices?.at(0) ?? 0) as "number" | "string" | "boolean";
}

/** Reads a value as the parameter's type: texts such as "1e-5" are numbers where a number is expected. */
export function readScalar(spec: ParameterSpec, value: unknown): unknown {
  const isNumeral = typeof value === "string" && value.trim() !== "" && Number.isFinite(Number(value));
  return isNumeral && typeOf(spec) === "number" ? Number(value) : value;
}

/** Says what is wrong with a value of a parameter; returns undefined if nothing is. */
export function findScalarProblem(spec: ParameterSpec, value: unknown): string | undefined {
  const { least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY, choices } = spec;
  const read = readScalar(spec, value);
  const type = typeOf(spec);
  if (typeof read !== type) {
    const rule = { number: "a number", string: "a text", boolean: "true or false" }[type];
    return `must be ${rule}: it is ${show(value)}`;
  }
  if (typeof read === "number" && !(Number.isFinite(read) && read >= least && read <= most))
    return `must be a number in [${least}, ${most}]: it is ${read}`;
  if (choices === undefined || choices.includes(read as ParameterValue)) return undefined;
  const meant = typeof read === "string" ? closestName(read, choices.map(String)) : undefined;
  const hint = meant === undefined ? "" : `; did you mean "${meant}"?`;
  return `must be one of ${choices.join(", ")}: it is ${show(read)}${hint}`;
}
