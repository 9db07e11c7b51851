import { closestName } from "@isthmus/core";
import * as z from "zod";
import { tellProblem } from "./tell-problem.ts";

type Path = readonly PropertyKey[];

/** A problem in a value. */
export interface Problem {
  /** Path of the wrong part; for an unknown key, the path of the key. */
  readonly path: Path;
  /** Description such as `"epochs" must be at least 1`, or `unknown key "epoch"; did you mean "epochs"?`. */
  readonly text: string;
}

/**
 * Lists the problems in a value, by its schema.
 * @param at - path of the value in the file or the task that messages speak of
 */
export function tellProblems(schema: z.ZodType, value: unknown, at: Path = []): readonly Problem[] {
  const { error } = schema.safeParse(value);
  return (error?.issues ?? []).flatMap(closestOf).flatMap((issue) => {
    const path = [...at, ...issue.path];
    if (issue.code !== "unrecognized_keys") return [{ path, text: tellProblem(path, issue) }];
    const keys = knownKeys(schema, value, issue.path);
    return issue.keys.map((key) => {
      const meant = closestName(key, keys);
      const hint = meant === undefined ? `known are ${keys.join(", ")}` : `did you mean "${meant}"?`;
      return { path: [...path, key], text: `unknown key "${key}"; ${hint}` };
    });
  });
}

/** Message of Zod for a value that fits no option of a union, if the schema has no message of its own. */
const NO_MESSAGE = "Invalid input";

/**
 * Replaces the problem of a value that fits no option of a union by the problems of the closest option: an
 * option that the value fits but for a part, else the first one of the same type. If the value has the type
 * of no option, the message of the union stays.
 */
function closestOf(issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] {
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return [issue];
  const [closest = []] = [...issue.errors].sort((one, other) => distanceOf(one) - distanceOf(other));
  if (distanceOf(closest) === 2 && issue.message !== NO_MESSAGE) return [issue];
  return closest.flatMap((inner) => closestOf({ ...inner, path: [...issue.path, ...inner.path] }));
}

/** Returns 0 if only parts of the value are wrong, 1 if the value itself is wrong, 2 if its type is. */
function distanceOf(issues: readonly z.core.$ZodIssue[]): number {
  if (issues.every(({ code, path }) => path.length > 0 || code === "unrecognized_keys")) return 0;
  return issues.some(({ code, path }) => path.length === 0 && code === "invalid_type") ? 2 : 1;
}

/**
 * Lists the keys that the schema has at the end of `path`; of several options it takes the one that fits
 * best.
 */
function knownKeys(schema: z.ZodType, value: unknown, path: Path): readonly string[] {
  let at: z.ZodType | undefined = schema;
  let here = value;
  for (const step of path) {
    at = childOf(at, here, step);
    here = (here as Readonly<Record<PropertyKey, unknown>> | undefined)?.[step];
  }
  const object = choose(at, here);
  return object instanceof z.ZodObject ? Object.keys(object.shape) : [];
}

function childOf(schema: z.ZodType | undefined, value: unknown, step: PropertyKey): z.ZodType | undefined {
  const chosen = choose(schema, value);
  if (chosen instanceof z.ZodObject) return chosen.shape[step as string] as z.ZodType | undefined;
  if (chosen instanceof z.ZodRecord) return chosen.valueType as z.ZodType;
  return chosen instanceof z.ZodArray ? (chosen.element as z.ZodType) : undefined;
}

/** Returns a schema without its mark as optional; of several options, the one of the value's kind. */
function choose(schema: z.ZodType | undefined, value: unknown): z.ZodType | undefined {
  if (schema instanceof z.ZodOptional) return choose(schema.unwrap() as z.ZodType, value);
  if (!(schema instanceof z.ZodUnion)) return schema;
  if (!(schema instanceof z.ZodDiscriminatedUnion)) {
    const options = schema.options.map((option) => choose(option as z.ZodType, value));
    return options.find((option) => option instanceof z.ZodObject);
  }
  const { discriminator } = schema.def;
  const kind = (value as Readonly<Record<string, unknown>> | undefined)?.[discriminator];
  return (schema.options as readonly z.ZodObject[]).find(
    ({ shape }) => (shape[discriminator] as z.ZodLiteral | undefined)?.value === kind,
  );
}
