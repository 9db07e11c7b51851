import { availableParallelism } from "node:os";
import { isMainThread } from "node:worker_threads";
import { cutText, messageOf, UnsupportedError } from "@isthmus/core";
import { isInstalled, loadInstalled } from "../installed.ts";
import { startWebRuntime } from "../web/start-web-runtime.ts";
import { createNativeRuntime } from "./create-native-runtime.ts";
import { defaultThreads } from "./default-threads.ts";
import type { Runtime } from "./runtime.ts";
import { PLATFORM_PACKAGE, whyNoNative } from "./systems.ts";

/** A build of onnxruntime that is installed and can be loaded on this machine. */
export interface FoundRuntime {
  /** Name of the engine on this build: `onnxruntime` if it is native, and else `onnxruntime-wasm`. */
  readonly engine: string;
  /** Name of the npm package that holds it. */
  readonly library: string;
  /** Sentence that says why no native library is used; undefined if one is. */
  readonly note?: string;
  /** Starts it. */
  readonly start: () => Promise<Runtime>;
}

/** Access to the installed packages. */
export interface Installation {
  /** Checks whether a package is installed. */
  readonly has: (name: string) => boolean;
  /** Loads a package of native code. */
  readonly load: (name: string) => unknown;
}

/** Package of WebAssembly for Node, which npm installs with the engine. */
const WASM_PACKAGE = "@isthmus/onnxruntime-wasm";

/** Packages of native libraries in the order of attempts. */
export const NATIVE_PACKAGES: readonly string[] = [PLATFORM_PACKAGE, "onnxruntime-node"];

/** Packages of WebAssembly in the order of attempts. */
const WASM_PACKAGES: readonly string[] = [WASM_PACKAGE, "onnxruntime-web"];

/** Characters of the message of a library that cannot be loaded that are shown. */
const REASON_SHOWN = 200;

let runtimeOfProcess: FoundRuntime | undefined;

/**
 * Returns the build of onnxruntime that this process uses: the first native library that can be loaded, or
 * else one in WebAssembly, which runs everywhere.
 * @throws UnsupportedError if no build is installed that can be loaded
 */
export function findRuntime(): FoundRuntime {
  runtimeOfProcess ??= lookForRuntime({ has: isInstalled, load: loadInstalled });
  return runtimeOfProcess;
}

/**
 * Looks for a build of onnxruntime.
 * @throws UnsupportedError if no build is installed that can be loaded
 */
export function lookForRuntime({ has, load }: Installation): FoundRuntime {
  disableTelemetry();
  const failures: string[] = [];
  for (const library of NATIVE_PACKAGES.filter(has)) {
    try {
      const runtime = createNativeRuntime(load(library) as Parameters<typeof createNativeRuntime>[0]);
      return { engine: runtime.engine, library, start: async () => runtime };
    } catch (error) {
      const [line = ""] = messageOf(error).split("\n");
      failures.push(`${library} cannot be loaded (${cutText(line, REASON_SHOWN)})`);
    }
  }
  const noNative = whyNoNative();
  const why = failures.join(", ") || (noNative ?? `${PLATFORM_PACKAGE} is not installed`);
  const library = WASM_PACKAGES.find(has);
  if (library === undefined) {
    const missingPackage = failures.length > 0 || noNative !== undefined ? WASM_PACKAGE : PLATFORM_PACKAGE;
    throw new UnsupportedError(
      `Cannot run a graph as a build of onnxruntime must be installed: ${why}; run npm install ${missingPackage}`,
      { feature: "onnxruntime" },
    );
  }
  let started: Promise<Runtime> | undefined;
  return {
    engine: "onnxruntime-wasm",
    library,
    note: `Graphs run in WebAssembly, by ${library}, several times slower than by a native library, as ${why}.`,
    start: () => {
      started ??= startWasm(library);
      return started;
    },
  };
}

async function startWasm(name: string): Promise<Runtime> {
  // Threads of a program share the processors among themselves.
  const threads = defaultThreads() || (isMainThread ? availableParallelism() : 1);
  return startWebRuntime(await import(name), { device: "wasm", files: "", threads });
}

/**
 * Disables the telemetry of onnxruntime, which by default stores an identity of the machine and a queue of
 * events for Microsoft under the user's home. The variable is read once, when the library is loaded.
 */
function disableTelemetry(): void {
  // biome-ignore lint/style/noProcessEnv: the library has no other switch.
  process.env["ORT_DISABLE_TELEMETRY"] ||= "1";
}
