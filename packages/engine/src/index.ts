export { createOnnxRuntimeEngine } from "./onnxruntime/create-onnxruntime-engine.ts";
