import { EngineError } from "@isthmus/core";
import { encodeGraph, type Graph } from "@isthmus/graph";
import { limitAtOnce } from "@isthmus/tasks";
import type * as OnnxRuntimeWeb from "onnxruntime-web";
import { commonOptions, type Runtime } from "../onnxruntime/runtime.ts";
import type { WebDevice } from "./web-device.ts";

/** How a build of onnxruntime for pages is started. */
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
 * Starts a build of onnxruntime for pages, once for the process.
 * @throws EngineError if its files cannot be loaded
 */
export async function startWebRuntime(
  library: typeof OnnxRuntimeWeb,
  { device, files, threads }: WebSettings,
): Promise<Runtime> {
  const { wasm } = library.env;
  wasm.numThreads = threads;
  if (files !== "") wasm.wasmPaths = files;
  const runtime = runtimeOf(library, device);
  try {
    const session = await runtime.open(encodeGraph(IDENTITY), { threads, optimize: false });
    await session.release();
  } catch (cause) {
    const { engine } = runtime;
    const place = files === "" ? "" : ` with the files in ${files}`;
    throw new EngineError(`Cannot start ${engine}${place}: ${(cause as Error).message}`, { engine, cause });
  }
  return runtime;
}

function runtimeOf(library: typeof OnnxRuntimeWeb, device: WebDevice): Runtime {
  // The library keeps its arguments on a stack that calls under way together would overwrite.
  const inTurn = limitAtOnce(1);
  return {
    engine: `onnxruntime-${device}`,
    device: device === "wasm" ? undefined : device,
    keepsOutputs: false,
    version: library.env.versions.common,
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
