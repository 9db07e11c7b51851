// Hooks of Node.js for modules that users write: `module.register` loads them in a thread of its own.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { findPackage } from "./find-package.ts";

/** Where this program looks its own packages up. */
const HERE = import.meta.url;
const OWN_NAME = /^(isthmus|@isthmus\/[a-z-]+)(?:\/|$)/;

interface ResolveContext {
  readonly parentURL?: string | undefined;
}

/**
 * Resolves an import: the packages of this program are the ones that run, wherever a module of a user lies,
 * unless another version of them is installed there.
 */
export function resolve<C extends ResolveContext, R>(
  specifier: string,
  context: C,
  next: (specifier: string, context: C) => R,
): R {
  const isOwn = isOwnPackage(specifier, context.parentURL ?? "");
  return next(specifier, isOwn ? { ...context, parentURL: HERE } : context);
}

function isOwnPackage(specifier: string, parent: string): boolean {
  const [, name] = OWN_NAME.exec(specifier) ?? [];
  // Installed packages find what they were installed with.
  if (name === undefined || !parent.startsWith("file:") || parent.includes("/node_modules/")) return false;
  const [own, there] = [HERE, parent].map((url) => findPackage(name, dirname(fileURLToPath(url))));
  return own !== undefined && (there === undefined || there.version === own.version);
}

/** Loads a module: of TypeScript, its types are taken out, with all lines where they were. */
export function load<C, R>(
  url: string,
  context: C,
  next: (url: string, context: C) => R,
): R | { readonly format: "module"; readonly source: string; readonly shortCircuit: true } {
  // Types of Node.js 20 do not know of this feature.
  const isNative = "typescript" in process.features && process.features.typescript !== false;
  if (isNative || !/^file:.*\.m?ts$/.test(url)) return next(url, context);
  return { format: "module", source: stripTypes(fileURLToPath(url)), shortCircuit: true };
}

/** Returns a module of TypeScript as JavaScript. */
function stripTypes(path: string): string {
  const { transformSync } = createRequire(HERE)(
    "@swc/wasm-typescript",
  ) as typeof import("@swc/wasm-typescript");
  try {
    return transformSync(readFileSync(path, "utf8"), { mode: "strip-only", filename: path }).code;
  } catch (error) {
    const { message, startLine } = Object(error) as {
      readonly message?: string;
      readonly startLine?: number;
    };
    throw new SyntaxError(`${message ?? error}${startLine === undefined ? "" : `, in line ${startLine}`}`);
  }
}
