export { createEngine, ENGINE_NAMES, type EngineName } from "./create-engine.ts";
export {
  createOnnxRuntimeEngine,
  describeOnnxRuntime,
  type WarningName,
} from "./onnxruntime/create-onnxruntime-engine.ts";
