export { createEngine, ENGINE_NAMES, type EngineName } from "./create-engine.ts";
export { describeMachine, type MachineDescription } from "./devices/describe-machine.ts";
export {
  type Accelerator,
  engineOnDevice,
  type OnnxRuntimeName,
} from "./devices/devices.ts";
export type { FollowPlacement, Placement } from "./devices/placement.ts";
export type { DeviceTrial } from "./devices/try-device.ts";
export {
  createOnnxRuntimeEngine,
  describeOnnxRuntime,
  type OnnxRuntimeEngineOptions,
  type WarningName,
} from "./onnxruntime/create-onnxruntime-engine.ts";
