export { createEngine, ENGINE_NAMES, type EngineName } from "./create-engine.ts";
export { createOnnxRuntimeEngine } from "./onnxruntime/create-onnxruntime-engine.ts";
