/** Device of the engine for pages: the processor, by WebAssembly, or the graphics card, by WebGPU. */
export type WebDevice = "wasm" | "webgpu";

/** Devices of the engine for pages. */
export const WEB_DEVICES: readonly WebDevice[] = ["wasm", "webgpu"];
