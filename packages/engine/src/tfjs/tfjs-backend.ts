// A file of its own, so that public declarations refer to
// no type of TensorFlow.js, which may not be installed.

/** Backend of TensorFlow.js: its native library on a GPU or the CPU, WebAssembly, or plain JavaScript. */
export type TfjsBackend = "node-gpu" | "node" | "wasm" | "cpu";

/** Backends of TensorFlow.js in the order in which they are tried, the fastest first. */
export const TFJS_BACKENDS: readonly TfjsBackend[] = ["node-gpu", "node", "wasm", "cpu"];
