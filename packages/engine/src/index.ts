export { createEngine, ENGINE_NAMES, type EngineName } from "./create-engine.ts";
export { describeMachine, type MachineDescription } from "./devices/describe-machine.ts";
export {
  type Accelerator,
  DEVICES,
  type DeviceEntry,
  engineOnDevice,
  type OnnxRuntimeName,
} from "./devices/devices.ts";
export { type DeviceTrial, tryDevice } from "./devices/try-device.ts";
export {
  createOnnxRuntimeEngine,
  describeOnnxRuntime,
  type OnnxRuntimeEngineOptions,
  type WarningName,
} from "./onnxruntime/create-onnxruntime-engine.ts";
export type { FollowPlacement, Placement } from "./onnxruntime/placement.ts";
