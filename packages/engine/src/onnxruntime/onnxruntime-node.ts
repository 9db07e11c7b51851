import "./disable-telemetry.ts";

// This is the only file that loads the native library.
export { InferenceSession, Tensor } from "onnxruntime-node";
