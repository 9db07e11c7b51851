import type { DeviceName } from "@isthmus/graph";

/** Name of the engine that computes by onnxruntime: on the processor, or with the device behind it. */
export type OnnxRuntimeName = "onnxruntime" | `onnxruntime-${Exclude<DeviceName, "cpu">}`;

/** A device other than the processor. */
export type Accelerator = Exclude<DeviceName, "auto" | "cpu">;

/** A device other than the processor, as onnxruntime knows it. */
export interface DeviceEntry {
  /** Name of its provider in onnxruntime. */
  readonly provider: string;
  /** Settings of the provider. @defaultValue none */
  readonly settings?: Readonly<Record<string, string>>;
  /** Systems on which `onnxruntime-node` has the provider, as npm names them. */
  readonly systems: readonly string[];
  /**
   * Systems on which only `onnxruntime-node` holds its libraries, and the small package of the system does
   * not.
   */
  readonly wholeOnly: readonly string[];
  /** Thing that the machine needs beside the packages. */
  readonly needs: string;
  /** Command or package that brings what is needed. */
  readonly broughtBy: string;
  /** Whether outputs can stay in its memory, and feed the next run from there. */
  readonly keepsOutputs: boolean;
}

const WINDOWS: readonly string[] = ["win32-x64", "win32-arm64"];

/** Devices other than the processor. */
export const DEVICES: Readonly<Record<Accelerator, DeviceEntry>> = {
  webgpu: {
    provider: "webgpu",
    // With its other layout onnxruntime 1.30 gives wrong convolutions of some numbers of channels, such as 6.
    settings: { preferredLayout: "NCHW" },
    systems: ["linux-x64", "darwin-arm64", ...WINDOWS],
    wholeOnly: WINDOWS,
    needs:
      "a driver of the graphics card: for Vulkan on Linux, for Direct3D 12 on Windows, for Metal on macOS",
    broughtBy:
      "on Debian and Ubuntu mesa-vulkan-drivers, Mesa 24 or newer, for AMD and Intel, and NVIDIA's driver for NVIDIA",
    keepsOutputs: true,
  },
  cuda: {
    provider: "cuda",
    systems: ["linux-x64"],
    wholeOnly: ["linux-x64"],
    needs: "NVIDIA's driver, CUDA 12 and cuDNN 9",
    broughtBy: "NVIDIA's packages cuda-toolkit-12 and cudnn9-cuda-12",
    keepsOutputs: false,
  },
  directml: {
    provider: "dml",
    systems: WINDOWS,
    wholeOnly: WINDOWS,
    needs: "a driver for Direct3D 12",
    broughtBy: "the maker of the graphics card, or Windows Update",
    keepsOutputs: false,
  },
  coreml: {
    provider: "coreml",
    systems: ["darwin-arm64"],
    wholeOnly: [],
    needs: "macOS 10.15 or newer",
    broughtBy: "Apple's Software Update",
    keepsOutputs: false,
  },
};

/** Names of the devices other than the processor. */
export const ACCELERATORS = Object.keys(DEVICES) as readonly Accelerator[];

/** Returns the name of the engine that computes by onnxruntime on a device. */
export function engineOnDevice(device: DeviceName): OnnxRuntimeName {
  return device === "cpu" ? "onnxruntime" : `onnxruntime-${device}`;
}
