import type { Process, Surroundings } from "../port.ts";
import { absent } from "./absent.ts";
import { webNavigator } from "./web.ts";

/** A page as a process: it has no arguments, no environment, and ends with its tab. */
export const process: Process = {
  argv: [],
  cwd: () => "/",
  env: {},
  execArgv: [],
  exit: absent("the end of a process"),
  features: {} as Process["features"],
  kill: absent("signals"),
  on: absent("signals"),
  once: absent("signals"),
  pid: 1 + (crypto.getRandomValues(new Uint32Array(1))[0] as number),
  platform: "browser",
  versions: {} as Process["versions"],
};

/** Returns 1: work runs in place, in the worker that called it. */
export const availableParallelism = (): number => 1;

/** Returns the root, as a page has no user's folder. */
export const homedir = (): string => "/";

/** Memory that a machine is taken to have if its browser does not tell, in GiB. */
const USUAL_MEMORY = 4;

/** Returns the memory of the machine in bytes, which browsers round to at most 8 GiB, and some never tell. */
export const totalmem = (): number => (webNavigator().deviceMemory ?? USUAL_MEMORY) * 2 ** 30;

/** Waits some milliseconds. */
export const delay = (milliseconds: number): Promise<unknown> =>
  new Promise((resume) => setTimeout(resume, milliseconds));

/** Lets events that wait be handled, such as the request to stop. */
export const handleEvents = (): Promise<unknown> => delay(0);

/** Returns `undefined`: files of a page take no descriptors of a system. */
export const openFilesLimit = (): number | undefined => undefined;

/** Returns the memory of objects now, in bytes, as pages learn of no peak; 0 if the browser is silent. */
export function peakMemory(): number {
  const { memory } = performance as unknown as { readonly memory?: { readonly usedJSHeapSize: number } };
  return memory?.usedJSHeapSize ?? 0;
}

/** Returns a value that is never set: a page has only its virtual folder, and nothing to be kept from. */
export function createSurroundings<T>(): Surroundings<T> {
  return { run: (_value, act) => act(), getStore: () => undefined };
}
