// This is a separate file, so that public declarations do not refer to types of TensorFlow.js, which may not
// be installed.

/** Backend of TensorFlow.js: its native library on a GPU or the CPU, WebAssembly, or plain JavaScript. */
export type TfjsBackend = "node-gpu" | "node" | "wasm" | "cpu";

/** Backends of TensorFlow.js in the order of attempts, the fastest first. */
export const TFJS_BACKENDS: readonly TfjsBackend[] = ["node-gpu", "node", "wasm", "cpu"];
