import type { DeviceName } from "@isthmus/graph";
import type { Described } from "./lists.ts";

/** Devices that graphs run on. */
export const DEVICES: Readonly<Record<DeviceName, Described>> = {
  auto: [
    "packages/engine/src/devices/auto-engine.test.ts",
    "each graph on the device that is fastest in a trial of it",
  ],
  cpu: ["packages/engine/test/engine-conformance.test.ts", "the processor; the default"],
  webgpu: [
    "packages/engine/test/devices.test.ts",
    "a graphics card by Vulkan, Direct3D 12 or Metal; tested on one in software",
  ],
  cuda: [
    "packages/engine/src/devices/try-device.test.ts",
    "a card of NVIDIA by CUDA 12; never run, only what is missing is tested",
  ],
  directml: [
    "packages/engine/src/devices/try-device.test.ts",
    "a graphics card by DirectML; never run, only what is missing is tested",
  ],
  coreml: [
    "packages/engine/src/devices/try-device.test.ts",
    "an accelerator of Apple; never run, only what is missing is tested",
  ],
};
