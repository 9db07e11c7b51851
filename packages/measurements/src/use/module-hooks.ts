// Hooks of Node.js for modules that users write: `module.register` loads them in a thread of its own.
import { createRequire, dirname, fileURLToPath, process } from "@isthmus/platform";
import { findPackage } from "./find-package.ts";

/** Address of this module, from which the packages of this program are looked up. */
const HERE = import.meta.url;
const OWN_NAME = /^(isthmus|@isthmus\/[a-z-]+)(?:\/|$)/;

interface ResolveContext {
  readonly parentURL?: string | undefined;
}

/**
 * Resolves an import. Packages of this program are the running ones, wherever a module of a user lies, unless
 * another version of them is installed there.
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

/** Whether Node.js runs TypeScript by itself. Types of Node.js 20 do not know this feature. */
export const RUNS_TYPESCRIPT: boolean =
  "typescript" in process.features && process.features.typescript !== false;

/** A loaded module, in the form of Node.js. */
interface LoadedModule {
  readonly format: string;
  readonly source?: string | ArrayBuffer | NodeJS.TypedArray | undefined;
}

/** Loads a module. Types of TypeScript are removed, and everything else keeps its position. */
export async function load<C extends object>(
  url: string,
  context: C,
  next: (url: string, context: C) => LoadedModule | Promise<LoadedModule>,
): Promise<LoadedModule & { readonly shortCircuit?: boolean }> {
  if (RUNS_TYPESCRIPT || !/^file:.*\.m?ts$/.test(url)) return next(url, context);
  const { source = "" } = await next(url, { ...context, format: "module" });
  const text = typeof source === "string" ? source : new TextDecoder().decode(source);
  return { format: "module", source: stripTypes(text), shortCircuit: true };
}

/** Package that takes types out of TypeScript, for versions of Node.js that do not. */
export const STRIPPER = "@swc/wasm-typescript";

/** Returns a module of TypeScript as JavaScript. */
function stripTypes(text: string): string {
  const { transformSync } = createRequire(HERE)(STRIPPER) as typeof import("@swc/wasm-typescript");
  try {
    return transformSync(text, { mode: "strip-only" }).code;
  } catch (error) {
    const { message, startLine } = Object(error) as {
      readonly message?: string;
      readonly startLine?: number;
    };
    throw new SyntaxError(`${message ?? error}${startLine === undefined ? "" : `, in line ${startLine}`}`);
  }
}

/** Checks whether modules of TypeScript can be run: by Node.js itself, or by the package for that. */
export function canRunTypeScript(): boolean {
  return RUNS_TYPESCRIPT || findPackage(STRIPPER, dirname(fileURLToPath(HERE))) !== undefined;
}
