import { createRequire } from "node:module";
import type * as OnnxRuntime from "onnxruntime-node";

/*
 * Disables the telemetry of onnxruntime, which by default stores an identity of the machine and a queue of
 * events for Microsoft under the user's home. The variable is read once, when its library is loaded, so the
 * library is required below, not imported: imports run before anything else.
 */
// biome-ignore lint/style/noProcessEnv: the library has no other switch.
process.env["ORT_DISABLE_TELEMETRY"] ||= "1";

/** The native library, which only this file loads. */
export const onnxruntime: typeof OnnxRuntime = createRequire(import.meta.url)("onnxruntime-node");
