import { InputError, readTextFile, UnsupportedError, UsageError } from "@isthmus/core";
import type { MeasurementEntry, NetworkMaker } from "@isthmus/findings";
import { dirname, fileURLToPath, nodeModule, pathToFileURL, process, resolve, stat } from "@isthmus/platform";
import { addMaker } from "./add-maker.ts";
import { addMeasurement } from "./add-measurement.ts";
import { findPackage } from "./find-package.ts";
import * as moduleHooks from "./module-hooks.ts";
import type { TakenNames } from "./taken-names.ts";

/** Options of {@link useMeasurements}. */
export interface UseOptions extends TakenNames {
  /** Called with a sentence if a file is used, but something about it is odd. @defaultValue no call */
  readonly onNote?: (sentence: string) => void;
}

/** Promises of the loading of files that this thread uses, by their paths: each file is loaded once. */
const used = new Map<string, Promise<void>>();

/**
 * Adds the measurements and the makers of networks of modules that users wrote. It runs the code of these
 * files: name only files that you would run yourself.
 *
 * A module is JavaScript or TypeScript, and exports what `defineMeasurement` and `defineNetworkMaker` return,
 * under any names. It may import `isthmus` and `@isthmus/*` wherever it lies.
 * @throws InputError if a file is missing, cannot be imported, or defines neither
 * @throws UsageError if a name in one of them is taken
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { useMeasurements } from "isthmus";
 *
 * await useMeasurements(["examples/gradient-norm/gradient-norm.ts"]);
 * await assert.rejects(useMeasurements(["nonesuch.ts"]), /there is no such file/);
 * ```
 */
export async function useMeasurements(files: readonly string[], options: UseOptions = {}): Promise<void> {
  for (const path of files.map((file) => resolve(file))) {
    const use = used.get(path) ?? useFile(path, options);
    used.set(path, use);
    try {
      await use;
    } catch (error) {
      used.delete(path);
      throw error;
    }
  }
}

async function useFile(path: string, { onNote, ...taken }: UseOptions): Promise<void> {
  const stats = await stat(path).catch(() => undefined);
  if (!stats?.isFile()) {
    const actual = stats === undefined ? "there is no such file" : "it is no file";
    throw new InputError(
      `Cannot use "${path}" as it must be a file that defines a measurement or a network maker: ${actual}`,
      {
        input: path,
      },
    );
  }
  assertRunnable(path);
  installHooks();
  for (const sentence of await findOtherVersions(path)) onNote?.(sentence);
  for (const definition of definitionsOf(path, await importFile(path))) {
    if (isMaker(definition)) addMaker(definition, taken);
    else addMeasurement(definition, taken);
  }
}

/** @throws UnsupportedError if the file is TypeScript, which this Node.js runs only with a package */
function assertRunnable(path: string): void {
  const { canRunTypeScript, STRIPPER } = moduleHooks;
  if (!/\.m?ts$/.test(path) || canRunTypeScript()) return;
  throw new UnsupportedError(
    `Cannot use "${path}" as Node.js ${process.versions.node} runs TypeScript only with the npm package ${STRIPPER}: it is not installed; run npm install ${STRIPPER}, or install Node.js 22.18 or newer`,
    { feature: "TypeScript" },
  );
}

async function importFile(path: string): Promise<object> {
  try {
    return await import(/* @vite-ignore */ pathToFileURL(path).href);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new InputError(`Cannot use "${path}" as it must be a module that can be imported: ${message}`, {
      input: path,
      cause: error,
    });
  }
}

/**
 * Returns the measurements and the makers of networks that a module exports, under any names.
 * @throws InputError if it exports none
 */
function definitionsOf(path: string, module: object): readonly (MeasurementEntry | NetworkMaker)[] {
  const exported: readonly unknown[] = Object.values(module).flat();
  const definitions = new Set(exported.filter((value) => isEntry(value) || isMaker(value)));
  if (definitions.size > 0) return [...definitions];
  const names = Object.keys(module);
  throw new InputError(
    `Cannot use "${path}" as it must export what defineMeasurement or defineNetworkMaker returns: ${names.length === 0 ? "it exports nothing" : `none of its exports is that: ${names.join(", ")}`}`,
    { input: path },
  );
}

function isEntry(value: unknown): value is MeasurementEntry {
  const { kind, verb, summary, subject, load } = Object(value) as Record<string, unknown>;
  const texts = [kind, verb, summary, subject];
  return texts.every((text) => typeof text === "string") && typeof load === "function";
}

function isMaker(value: unknown): value is NetworkMaker {
  const { name, summary, attempt, from, make, labelOf } = Object(value) as Record<string, unknown>;
  const texts = [name, summary, attempt, from];
  return texts.every((text) => typeof text === "string") && [make, labelOf].every(isFunction);
}

const isFunction = (value: unknown): boolean => typeof value === "function";

let isInstalled = false;

/** Lets modules of users import the packages of this program, and be TypeScript. */
function installHooks(): void {
  // Programs that run these sources load TypeScript, and find the packages, without hooks.
  if (isInstalled || import.meta.url.endsWith(".ts")) return;
  // Types of Node.js 20 know of `register` alone. The newer hooks run in the thread that imports.
  const { registerHooks, register } = nodeModule as Partial<typeof nodeModule> & {
    readonly registerHooks?: (hooks: Pick<typeof moduleHooks, "resolve">) => void;
  };
  const { resolve: resolveImport, RUNS_TYPESCRIPT } = moduleHooks;
  if (RUNS_TYPESCRIPT && registerHooks !== undefined) registerHooks({ resolve: resolveImport });
  else if (register !== undefined) register("./module-hooks.js", import.meta.url);
  else {
    throw new UsageError(
      `Cannot use what a file defines as Node.js must be 20.6 or newer: it is ${process.versions.node}; install a newer one`,
    );
  }
  isInstalled = true;
}

/**
 * Returns a sentence for each package of Isthmus that a module imports in another version than the running
 * one.
 */
async function findOtherVersions(path: string): Promise<readonly string[]> {
  const text = await readTextFile(path);
  const names = [...text.matchAll(/["'](isthmus|@isthmus\/[a-z-]+)["'/]/g)].map(([, name = ""]) => name);
  const here = dirname(fileURLToPath(import.meta.url));
  return [...new Set(names)].flatMap((name) => {
    const [own, there] = [here, dirname(path)].map((folder) => findPackage(name, folder));
    if (own === undefined || there === undefined || own.version === there.version) return [];
    return `"${path}" imports ${name} ${there.version} of "${there.folder}", and this program has ${own.version}: install the same version, or remove it there, if what it defines does not work`;
  });
}
