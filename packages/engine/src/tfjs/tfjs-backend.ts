// Apart from what uses TensorFlow.js, so that declarations that users see name none of its types: it may not be installed.

/** Where TensorFlow.js computes: its native library on a GPU or the CPU, WebAssembly, or plain JavaScript. */
export type TfjsBackend = "node-gpu" | "node" | "wasm" | "cpu";

/** Backends of TensorFlow.js, in the order in which they are tried: fastest first. */
export const TFJS_BACKENDS: readonly TfjsBackend[] = ["node-gpu", "node", "wasm", "cpu"];
