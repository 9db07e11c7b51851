import "./disable-telemetry.ts";

// The only place that loads the native library.
export { InferenceSession, Tensor } from "onnxruntime-node";
