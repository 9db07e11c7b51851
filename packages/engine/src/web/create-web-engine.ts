import { assertWholeOptions, OutOfRangeError, resolveOptions, UsageError } from "@isthmus/core";
import type { Engine } from "@isthmus/graph";
import { createRuntimeEngine } from "../onnxruntime/create-runtime-engine.ts";
import type { Runtime } from "../onnxruntime/runtime.ts";
import { importOnnxRuntimeWeb } from "./import-onnxruntime-web.ts";
import { startWebRuntime, type WebSettings } from "./start-web-runtime.ts";
import { WEB_DEVICES, type WebDevice } from "./web-device.ts";

/** Options of {@link createWebEngine}. */
export interface WebEngineOptions {
  /** Device that computes. @defaultValue "wasm" */
  readonly device?: WebDevice;
  /**
   * Address of the folder with the `.mjs` and `.wasm` files of `onnxruntime-web`, of the page's own origin;
   * if it is empty, the folder that the script of `onnxruntime-web` comes from. @defaultValue ""
   */
  readonly files?: string | URL;
  /**
   * Number of threads of all runs; more than one need a page that is cross-origin isolated. With 0 it is half
   * the number of processors, at most 4, in such a page, and else 1. @defaultValue 0
   */
  readonly threads?: number;
}

const WEB_ENGINE_DEFAULTS: Required<WebEngineOptions> = { device: "wasm", files: "", threads: 0 };

/** Largest number of threads that is chosen; more hardly help networks of the size that pages have. */
const MOST_THREADS = 4;

const started = new Map<WebDevice, { readonly settings: string; readonly runtime: Promise<Runtime> }>();

/**
 * Creates an engine that computes graphs with onnxruntime in WebAssembly or on WebGPU, in a page, a worker of
 * a page, or Node. It needs the package `onnxruntime-web`, of which `onnxruntime-web/webgpu` is loaded only
 * if that device is asked for. The engine is named `onnxruntime-wasm` or `onnxruntime-webgpu`.
 *
 * A page needs `'wasm-unsafe-eval'` in the `script-src` of its content security policy, and nothing else.
 * Runs use all the threads of the engine, whatever `load` says, and take turns.
 *
 * @throws UnsupportedError if `onnxruntime-web` is not installed, or there is no WebGPU
 * @throws EngineError if the files cannot be loaded
 * @throws OutOfRangeError if there is no such device, or the files are of another origin
 * @throws UsageError if an engine on the same device was created with other files or threads: a process has
 *   one of each
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createWebEngine } from "@isthmus/engine/web";
 * import { GraphBuilder, mul } from "@isthmus/graph/builder";
 *
 * const engine = await createWebEngine(); // in a page: { files: "/onnxruntime/" }
 * const builder = new GraphBuilder("square", 17);
 * const x = builder.input("x", { dtype: "f32", shape: [2] });
 * const session = await engine.load(builder.build([builder.rename(mul(x, x), "y")]));
 * const data = Float32Array.of(2, 3);
 * const outputs = await session.run(new Map([["x", { dtype: "f32", shape: [2], data }]]));
 * assert.deepEqual(outputs.get("y")?.data, Float32Array.of(4, 9));
 * await session.release();
 * ```
 */
export async function createWebEngine(options: WebEngineOptions = {}): Promise<Engine> {
  const resolved = resolveOptions("create an engine for pages", WEB_ENGINE_DEFAULTS, options);
  assertWholeOptions("create an engine for pages", resolved, { threads: 0 });
  const { device, files, threads } = resolved;
  if (!WEB_DEVICES.includes(device)) {
    throw new OutOfRangeError(
      `Cannot create an engine for pages as the device must be one of ${WEB_DEVICES.join(", ")}: got "${device}"`,
    );
  }
  const settings: WebSettings = {
    device,
    files: addressOf(files),
    threads: threads === 0 ? chooseThreads() : threads,
  };
  const before = started.get(device);
  const described = JSON.stringify(settings);
  if (before !== undefined && before.settings !== described) {
    throw new UsageError(
      `Cannot create an engine with ${described} as one process has one on each device: it was created with ${before.settings}`,
    );
  }
  const runtime = before?.runtime ?? start(settings);
  started.set(device, { settings: described, runtime });
  return createRuntimeEngine(await runtime);
}

async function start(settings: WebSettings): Promise<Runtime> {
  return startWebRuntime(await importOnnxRuntimeWeb(settings.device), settings);
}

/**
 * Returns the address of a folder with a slash at its end.
 * @throws OutOfRangeError if it is of another origin than the page
 */
function addressOf(files: string | URL): string {
  if (files === "") return "";
  const { location } = globalThis as {
    readonly location?: { readonly href: string; readonly origin: string };
  };
  const address = new URL(files, location?.href);
  if (location !== undefined && address.origin !== location.origin) {
    throw new OutOfRangeError(
      `Cannot create an engine with the files in ${address.href} as they must be of the page's own origin, ${location.origin}: copy them there`,
    );
  }
  return address.href.endsWith("/") ? address.href : `${address.href}/`;
}

function chooseThreads(): number {
  const { crossOriginIsolated, navigator } = globalThis as {
    readonly crossOriginIsolated?: boolean;
    readonly navigator?: { readonly hardwareConcurrency?: number };
  };
  if (crossOriginIsolated !== true) return 1;
  return Math.min(MOST_THREADS, Math.max(1, Math.floor((navigator?.hardwareConcurrency ?? 1) / 2)));
}
