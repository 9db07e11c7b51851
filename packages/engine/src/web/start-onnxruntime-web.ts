import { EngineError, UnsupportedError } from "@isthmus/core";
import { encodeGraph, type Graph } from "@isthmus/graph";
import type * as OnnxRuntimeWeb from "onnxruntime-web";
import { commonOptions, type Runtime } from "../onnxruntime/runtime.ts";
import type { WebDevice } from "./web-device.ts";

/** How `onnxruntime-web` is started. */
export interface WebSettings {
  /** Device that computes. */
  readonly device: WebDevice;
  /** Address of the folder with its files, which ends in a slash; empty for the folder of its script. */
  readonly files: string;
  /** Number of threads of all runs. */
  readonly threads: number;
}

/** Returns what it is given; a session of it shows that the library has started. */
const IDENTITY: Graph = {
  name: "identity",
  opsets: new Map([["", 17]]),
  inputs: [{ name: "x", dtype: "f32", shape: [1] }],
  weights: new Map(),
  constants: new Map(),
  nodes: [
    { name: "identity", op: "Identity", domain: "", inputs: ["x"], outputs: ["y"], attributes: new Map() },
  ],
  outputs: [{ name: "y" }],
};

/**
 * Starts `onnxruntime-web` on a device, once for the process.
 * @throws UnsupportedError if it is not installed, or there is no WebGPU
 * @throws EngineError if its files cannot be loaded
 */
export async function startOnnxRuntimeWeb({ device, files, threads }: WebSettings): Promise<Runtime> {
  const engine = `onnxruntime-${device}`;
  const library = await importLibrary(device);
  library.env.wasm.numThreads = threads;
  if (files !== "") library.env.wasm.wasmPaths = files;
  const runtime = runtimeOf(library, device, engine);
  try {
    const session = await runtime.open(encodeGraph(IDENTITY), { threads, optimize: false });
    await session.release();
  } catch (cause) {
    throw new EngineError(
      `Cannot start ${engine} ${files === "" ? "" : `with the files in ${files}`}: ${(cause as Error).message}`,
      { engine, cause },
    );
  }
  return runtime;
}

/** Checks that there is a graphics card to compute on: browsers may know WebGPU and have none. */
async function assertWebGpu(): Promise<void> {
  const { navigator } = globalThis as {
    readonly navigator?: { readonly gpu?: { readonly requestAdapter: () => Promise<object | null> } };
  };
  const adapter = await navigator?.gpu?.requestAdapter();
  if (adapter !== undefined && adapter !== null) return;
  throw new UnsupportedError(
    'Cannot run graphs on WebGPU as the browser must offer it: it offers none here; create the engine with device "wasm"',
    { feature: "webgpu" },
  );
}

async function importLibrary(device: WebDevice): Promise<typeof OnnxRuntimeWeb> {
  if (device === "webgpu") await assertWebGpu();
  try {
    return device === "webgpu"
      ? await import("onnxruntime-web/webgpu")
      : await import("onnxruntime-web/wasm");
  } catch (cause) {
    throw new UnsupportedError(
      `Cannot run graphs on onnxruntime-web as it must be installed: add onnxruntime-web (${(cause as Error).message})`,
      { feature: "onnxruntime-web", cause },
    );
  }
}

function runtimeOf(library: typeof OnnxRuntimeWeb, device: WebDevice, engine: string): Runtime {
  const inTurn = createTurns();
  return {
    engine,
    Tensor: library.Tensor,
    fillsOutputs: false,
    open: async (model, { optimize }) => {
      const options: OnnxRuntimeWeb.InferenceSession.SessionOptions = {
        ...commonOptions(optimize),
        executionProviders: [device],
        // Memory of WebAssembly never shrinks, so that none is kept in store.
        enableCpuMemArena: false,
        enableMemPattern: false,
      };
      const session = await inTurn(() => library.InferenceSession.create(model, options));
      return {
        inputNames: session.inputNames,
        run: (feeds, fetches) => inTurn(() => session.run(feeds, fetches)),
        release: () => inTurn(() => session.release()),
      };
    },
  };
}

/**
 * Creates a function that makes each call wait for all earlier ones: the library keeps its arguments on a
 * stack that calls under way together would overwrite.
 */
function createTurns(): <T>(call: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (call) => {
    const result = last.then(call);
    last = result.catch(() => undefined);
    return result;
  };
}
