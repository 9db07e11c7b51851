import { excerpt, InputError } from "@isthmus/core";
import type * as z from "zod";
import { tellProblems } from "../schema/tell-problems.ts";

/** Largest number of problems that one error lists. */
const SHOWN_PROBLEMS = 4;
/** Key of the parameters of a task, at the beginning of paths in messages. */
const ROOT = "params";

/**
 * Checks the parameters of a task that may come from another machine.
 * @param kind - name of the kind of task
 * @param schema - schema of the parameters, which lets no other keys pass
 * @throws InputError if they do not fit the schema; it names the parts that do not, and their values
 */
export function assertTaskParams(kind: string, schema: z.ZodType, params: unknown): void {
  const problems = tellProblems(schema, params, [ROOT]).map(({ path, text }) => {
    if (text.startsWith("unknown key")) return `${text}, in "${path.slice(0, -1).join(".")}"`;
    return /missing$|: it is /.test(text)
      ? text
      : `${text}: it is ${excerpt(valueAt(params, path.slice(1)))}`;
  });
  // Maps with keys of any name skip this one key, which stands for the prototype in many programs.
  if (problems.length === 0 && hasPrototypeKey(params)) problems.push('no key may be "__proto__": one is');
  if (problems.length === 0) return;
  const more = problems.length > SHOWN_PROBLEMS ? `, and ${problems.length - SHOWN_PROBLEMS} more` : "";
  throw new InputError(
    `Cannot run a task of kind "${kind}" as its parameters must fit: ${problems.slice(0, SHOWN_PROBLEMS).join(", ")}${more}; ` +
      "let all machines have the same version of isthmus",
    { input: kind },
  );
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((at, key) => (at as Readonly<Record<PropertyKey, unknown>>)[key], value);
}

/** Checks whether `__proto__` is a key in a value. The value fits a schema, and so is not nested deep. */
function hasPrototypeKey(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.hasOwn(value, "__proto__") || Object.values(value).some(hasPrototypeKey);
}
