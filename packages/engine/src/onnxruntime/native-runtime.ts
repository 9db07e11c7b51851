import { defaultThreads } from "./default-threads.ts";
import { onnxruntime } from "./onnxruntime-node.ts";
import { commonOptions, type Runtime } from "./runtime.ts";

/** The native library on the CPU. */
export const NATIVE: Runtime = {
  engine: "onnxruntime",
  Tensor: onnxruntime.Tensor,
  fillsOutputs: true,
  open: (model, { threads, optimize }) =>
    onnxruntime.InferenceSession.create(model, {
      ...commonOptions(optimize),
      executionProviders: ["cpu"],
      intraOpNumThreads: threads === 0 ? defaultThreads() : threads,
      interOpNumThreads: 1,
    }),
};
