import { EngineError, UnsupportedError } from "@isthmus/core";
import { isInstalled } from "../installed.ts";
import type { TfjsBackend } from "./tfjs-backend.ts";
import type { Tfjs } from "./tfjs-types.ts";

/** TensorFlow.js with a backend that is ready. */
export interface LoadedTfjs {
  /** Functions of the package of TensorFlow.js that was imported, with the backend set. */
  readonly tf: Tfjs;
  /** Backend that was chosen: the requested one, or else the fastest that is installed. */
  readonly backend: TfjsBackend;
  /** Name of the backend in TensorFlow.js. */
  readonly backendName: string;
}

interface Candidate {
  readonly backend: TfjsBackend;
  /** Packages to import in order; the first exports the functions, the others register backends. */
  readonly packages: readonly [string, ...string[]];
  readonly backendName: string;
}

/** Backends in the order of attempts, the fastest first. */
const CANDIDATES: readonly Candidate[] = [
  { backend: "node-gpu", packages: ["@tensorflow/tfjs-node-gpu"], backendName: "tensorflow" },
  { backend: "node", packages: ["@tensorflow/tfjs-node"], backendName: "tensorflow" },
  { backend: "wasm", packages: ["@tensorflow/tfjs", "@tensorflow/tfjs-backend-wasm"], backendName: "wasm" },
  { backend: "cpu", packages: ["@tensorflow/tfjs"], backendName: "cpu" },
];

/**
 * Imports TensorFlow.js from the first of its packages that is installed and works.
 *
 * @param backend - the backend to use; undefined for the fastest that is installed
 * @throws UnsupportedError if none is installed; the message names the package to add
 * @throws EngineError if the installed package does not start
 */
export async function loadTfjs(backend?: TfjsBackend): Promise<LoadedTfjs> {
  const failures: unknown[] = [];
  for (const candidate of CANDIDATES) {
    if (backend !== undefined && candidate.backend !== backend) continue;
    if (!candidate.packages.every(isInstalled)) continue;
    try {
      return await start(candidate);
    } catch (error) {
      failures.push(error);
    }
  }
  const [cause] = failures;
  if (cause !== undefined) {
    throw new EngineError(
      `Cannot start TensorFlow.js${backend === undefined ? "" : ` with backend "${backend}"`}: ${(cause as Error).message}`,
      { engine: "tfjs", cause },
    );
  }
  throw new UnsupportedError(
    `Cannot run graphs on TensorFlow.js as a package of it must be installed: add ${packagesFor(backend)}`,
    { feature: "tfjs" },
  );
}

function packagesFor(backend: TfjsBackend | undefined): string {
  const candidate = CANDIDATES.find((one) => one.backend === backend);
  if (candidate !== undefined) return candidate.packages.join(" and ");
  return "@tensorflow/tfjs-node, or @tensorflow/tfjs and @tensorflow/tfjs-backend-wasm where no native library may be used";
}

async function start({ backend, packages, backendName }: Candidate): Promise<LoadedTfjs> {
  const [main, ...others] = packages;
  const tf = await importTfjs(main);
  for (const other of others) await import(other);
  if (tf.findBackend("cpu") !== null) keepQuiet(tf);
  if (!(await withoutListeners(() => tf.setBackend(backendName)))) {
    throw new EngineError(
      `Cannot start backend "${backendName}" of TensorFlow.js as it refused to initialise`,
      {
        engine: "tfjs",
      },
    );
  }
  if (backend === "wasm") borrowKernels(tf, backendName);
  return { tf, backend, backendName };
}

/**
 * Events of the process to which the WebAssembly backend adds listeners that turn every unhandled rejection
 * into a crash.
 */
const CRASH_EVENTS = ["uncaughtException", "unhandledRejection"] as const;

/** Runs `work` and removes the listeners for crashes that it added to the process. */
async function withoutListeners<T>(work: () => Promise<T>): Promise<T> {
  const before = CRASH_EVENTS.map((event) => new Set(process.rawListeners(event)));
  try {
    return await work();
  } finally {
    for (const [i, event] of CRASH_EVENTS.entries()) {
      for (const listener of process.rawListeners(event)) {
        if (!before[i]?.has(listener)) process.removeListener(event, listener as () => void);
      }
    }
  }
}

/**
 * Imports a package of TensorFlow.js; the packages are CommonJS, whose exports Node returns as the default
 * export.
 */
async function importTfjs(name: string): Promise<Tfjs> {
  const module: Tfjs & { readonly default?: Tfjs } = await import(name);
  return module.default ?? module;
}

/** Suppresses the advertisement for other packages that the JavaScript backend prints on first use. */
function keepQuiet(tf: Tfjs): void {
  const before = tf.env().getBool("PROD");
  tf.env().set("PROD", true);
  const cpu = tf.findBackend("cpu");
  const dataId = cpu.write(Float32Array.of(0), [], "float32");
  cpu.disposeData(dataId);
  tf.env().set("PROD", before);
}

/** Kernels that gradients need and that the WebAssembly backend lacks. */
const BORROWED = [
  "Conv2DBackpropFilter",
  "DepthwiseConv2dNativeBackpropFilter",
  "DepthwiseConv2dNativeBackpropInput",
  "UnsortedSegmentSum",
] as const;

type Kernel = NonNullable<ReturnType<Tfjs["getKernel"]>>["kernelFunc"];
type TensorInfo = NonNullable<Parameters<Kernel>[0]["inputs"][string]>;

/**
 * Registers the kernels of the JavaScript backend for another backend if gradients need kernels that it
 * lacks; the kernels are slow but compute the same results.
 */
function borrowKernels(tf: Tfjs, backendName: string): void {
  for (const kernelName of BORROWED) {
    if (tf.getKernel(kernelName, backendName) !== undefined) continue;
    const kernel = tf.getKernel(kernelName, "cpu")?.kernelFunc;
    if (kernel === undefined) continue;
    tf.registerKernel({ kernelName, backendName, kernelFunc: borrowed(tf, kernel) });
  }
}

function borrowed(tf: Tfjs, kernel: Kernel): Kernel {
  const move = ({ dataId, shape, dtype }: TensorInfo, from: string, to: string): TensorInfo => {
    const values = tf.findBackend(from).readSync(dataId);
    return { dataId: tf.findBackend(to).write(values, shape, dtype), shape, dtype };
  };
  return ({ inputs, attrs, backend }) => {
    const home = tf.getBackend();
    const cpu = tf.findBackend("cpu");
    const copies = Object.fromEntries(
      Object.entries(inputs).flatMap(([name, info]) => (info ? [[name, move(info, home, "cpu")]] : [])),
    );
    const args = {
      inputs: copies,
      backend: cpu as typeof backend,
      ...(attrs === undefined ? {} : { attrs }),
    };
    const result = [kernel(args)].flat()[0] as TensorInfo;
    const output = move(result, "cpu", home);
    for (const { dataId } of [...Object.values(copies), result]) cpu.disposeData(dataId);
    return output;
  };
}
