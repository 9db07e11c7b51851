import type { InferenceSession, Tensor } from "onnxruntime-node";

/** A build of onnxruntime, native or in WebAssembly, that is ready to open sessions. */
export interface Runtime {
  /** Name of the engine on this build, for messages and results. */
  readonly engine: string;
  /** Version of onnxruntime, for example `1.30.0`. */
  readonly version: string;
  /** Name of the device that computes; undefined if it is the processor. */
  readonly device?: string | undefined;
  /** Whether outputs can stay in the memory of the device, and feed the next run from there. */
  readonly keepsOutputs: boolean;
  /** Constructor of the tensors that its sessions exchange. */
  readonly Tensor: new (
    type: Tensor.Type,
    data: Tensor.DataType,
    dims: readonly number[],
  ) => Tensor;
  /**
   * Whether a run writes into the tensors that are given for outputs; if not, results are copied into them.
   */
  readonly fillsOutputs: boolean;
  /** Opens a session of an encoded graph. */
  readonly open: (model: Uint8Array, options: OpenOptions) => Promise<RuntimeSession>;
}

/** Options of a session of onnxruntime. */
export interface OpenOptions {
  /** Number of threads inside one run; 0 lets the library choose. */
  readonly threads: number;
  /** Whether the library may rewrite the graph. */
  readonly optimize: boolean;
  /** Names of outputs that stay in the memory of the device. @defaultValue none */
  readonly onDevice?: readonly string[];
  /** Name of the graph, for those who follow it. @defaultValue it is not followed */
  readonly name?: string;
  /** Beginning of the path of a file for the times of nodes, and where they ran. @defaultValue no file */
  readonly profile?: string | undefined;
}

/** A session of onnxruntime. */
export type RuntimeSession = Pick<InferenceSession, "inputNames" | "release"> & {
  readonly run: (
    feeds: InferenceSession.FeedsType,
    fetches: InferenceSession.NullableOnnxValueMapType,
  ) => Promise<InferenceSession.ReturnType>;
  /** Ends the file for the times of nodes, and writes it. */
  readonly endProfiling?: () => void;
};

/**
 * Log level of onnxruntime that shows only errors, as its warnings about exported graphs are not useful here.
 */
const ERRORS_ONLY = 3;

/** Returns the options of a session that are the same for every build. */
export function commonOptions(optimize: boolean): InferenceSession.SessionOptions {
  return {
    graphOptimizationLevel: optimize ? "all" : "disabled",
    executionMode: "sequential",
    logSeverityLevel: ERRORS_ONLY,
  };
}
