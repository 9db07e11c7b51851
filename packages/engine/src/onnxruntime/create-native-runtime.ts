import type * as OnnxRuntime from "onnxruntime-node";
import { defaultThreads } from "./default-threads.ts";
import { commonOptions, type Runtime } from "./runtime.ts";

/** Makes a build of onnxruntime of its native library, which computes on the CPU. */
export function createNativeRuntime({ InferenceSession, Tensor, env }: typeof OnnxRuntime): Runtime {
  return {
    engine: "onnxruntime",
    version: env.versions.common,
    Tensor,
    fillsOutputs: true,
    open: (model, { threads, optimize }) =>
      InferenceSession.create(model, {
        ...commonOptions(optimize),
        executionProviders: ["cpu"],
        intraOpNumThreads: threads === 0 ? defaultThreads() : threads,
        interOpNumThreads: 1,
      }),
  };
}
