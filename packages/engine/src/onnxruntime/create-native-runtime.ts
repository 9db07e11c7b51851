import type * as OnnxRuntime from "onnxruntime-node";
import { type Accelerator, DEVICES, engineOnDevice } from "../devices/devices.ts";
import { defaultThreads } from "./default-threads.ts";
import { commonOptions, type Runtime } from "./runtime.ts";

/** Makes a build of onnxruntime of its native library, which computes on the processor or on a device. */
export function createNativeRuntime(
  { InferenceSession, Tensor, env }: typeof OnnxRuntime,
  device?: Accelerator,
): Runtime {
  const entry = device && DEVICES[device];
  return {
    engine: engineOnDevice(device ?? "cpu"),
    device,
    keepsOutputs: entry?.keepsOutputs ?? false,
    version: env.versions.common,
    Tensor,
    // A run on a device does not write into the tensors that are given for outputs.
    fillsOutputs: entry === undefined,
    open: (model, { threads, optimize, onDevice = [], profile }) =>
      InferenceSession.create(model, {
        ...commonOptions(optimize),
        executionProviders: [{ name: entry?.provider ?? "cpu", ...entry?.settings }],
        intraOpNumThreads: threads === 0 ? defaultThreads() : threads,
        interOpNumThreads: 1,
        // A session that is not optimized runs once or a few times: threads that keep their cores busy while
        // they wait would take a quarter of its processor time.
        ...(!optimize && { extra: { session: { intra_op: { allow_spinning: "0" } } } }),
        ...(onDevice.length > 0 && {
          preferredOutputLocation: Object.fromEntries(onDevice.map((name) => [name, "gpu-buffer"])),
        }),
        ...(profile !== undefined && { enableProfiling: true, profileFilePrefix: profile }),
      }),
  };
}
