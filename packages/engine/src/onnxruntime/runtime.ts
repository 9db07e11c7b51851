import type { LoadOptions } from "@isthmus/graph";
import type { InferenceSession, Tensor } from "onnxruntime-node";

/** A build of onnxruntime, native or in WebAssembly, that is ready to open sessions. */
export interface Runtime {
  /** Name of the engine on this build, for messages and results. */
  readonly engine: string;
  /** Version of onnxruntime, for example `1.30.0`. */
  readonly version: string;
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
  readonly open: (model: Uint8Array, options: Required<LoadOptions>) => Promise<RuntimeSession>;
}

/** A session of onnxruntime. */
export type RuntimeSession = Pick<InferenceSession, "inputNames" | "release"> & {
  readonly run: (
    feeds: InferenceSession.FeedsType,
    fetches: InferenceSession.NullableOnnxValueMapType,
  ) => Promise<InferenceSession.ReturnType>;
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
