import { InputError } from "@isthmus/core";
import type { MergeMethod } from "@isthmus/merging";
import { pathToFileURL, resolve } from "@isthmus/platform";
import { RECIPE_METHODS } from "../plan/find-method.ts";

/**
 * Reads merge methods from JavaScript files, and adds them to known methods. A file exports methods, each
 * made by `defineMergeMethod`, under any names.
 *
 * @param paths - paths of the files, whose code is run
 * @param others - known methods by name; by default all of `@isthmus/merging`
 * @throws InputError if a file cannot be run, exports no method, or exports a method whose name is taken
 */
export async function readMethods(
  paths: readonly string[],
  others: ReadonlyMap<string, MergeMethod> = RECIPE_METHODS,
): Promise<ReadonlyMap<string, MergeMethod>> {
  const methods = new Map(others);
  for (const path of paths) {
    const exported = Object.values(await importFile(path)).filter(isMethod);
    if (exported.length === 0) {
      throw unreadable(
        path,
        "it must export a method: it exports none; write export const name = defineMergeMethod({ ... })",
      );
    }
    for (const method of exported) {
      if (methods.has(method.name))
        throw unreadable(path, `names must differ: there is a method "${method.name}" already`);
      methods.set(method.name, method);
    }
  }
  return methods;
}

async function importFile(path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await import(pathToFileURL(resolve(path)).href);
  } catch (cause) {
    const { message, code } = cause as NodeJS.ErrnoException;
    const advice =
      code === "ERR_MODULE_NOT_FOUND"
        ? "; a method may be a plain object, without imports, or install the package beside the file"
        : "";
    throw unreadable(path, `it must be a module of JavaScript: ${message}${advice}`, cause);
  }
}

function unreadable(path: string, rule: string, cause?: unknown): InputError {
  return new InputError(`Cannot read methods from "${path}" as ${rule}`, { input: path, cause });
}

function isMethod(value: unknown): value is MergeMethod {
  const { name, parameters, networks, blendInto } = (value ?? {}) as Partial<MergeMethod>;
  return (
    typeof name === "string" &&
    typeof parameters === "object" &&
    typeof networks === "object" &&
    typeof blendInto === "function"
  );
}
