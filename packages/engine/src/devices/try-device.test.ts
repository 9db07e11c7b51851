import { describe, expect, it } from "vitest";
import { explainTrial } from "./try-device.ts";

describe("explainTrial()", () => {
  it.each([
    [
      "webgpu",
      "Warning: Couldn't load Vulkan: libvulkan.so.1: cannot open shared object file\nFailed to get a WebGPU adapter: No supported adapters",
      "the Vulkan loader, libvulkan.so.1",
      "libvulkan1",
    ],
    [
      "webgpu",
      "Warning: vkCreateInstance failed with VK_ERROR_INCOMPATIBLE_DRIVER\nFailed to get a WebGPU adapter: No supported adapters",
      "a driver of the graphics card that onnxruntime can use",
      "mesa-vulkan-drivers",
    ],
    [
      "webgpu",
      "Warning: loader_get_json: Failed to open JSON file /nowhere/driver.json\nWarning: vkCreateInstance failed with VK_ERROR_INCOMPATIBLE_DRIVER\nFailed to get a WebGPU adapter: No supported adapters",
      "a driver of the graphics card that onnxruntime can use (the Vulkan loader says: Failed to open JSON file /nowhere/driver.json)",
      "mesa-vulkan-drivers",
    ],
    [
      "webgpu",
      "Warning: /nowhere/x.so: cannot open shared object file: No such file or directory\nWarning: vkCreateInstance: Found no drivers!\nFailed to get a WebGPU adapter: No supported adapters",
      "a driver of the graphics card that onnxruntime can use (the Vulkan loader says: /nowhere/x.so: cannot open shared object file: No such file or directory)",
      "mesa-vulkan-drivers",
    ],
    [
      "cuda",
      "Failed to load library /x/libonnxruntime_providers_shared.so with error: cannot open shared object file\nFailed to load shared library",
      "onnxruntime's libraries for CUDA, which only the install script of onnxruntime-node brings",
      "npm install onnxruntime-node --onnxruntime-node-install=cuda12",
    ],
    [
      "cuda",
      "Failed to load library /x/libonnxruntime_providers_cuda.so with error: libcublasLt.so.12: cannot open shared object file",
      "NVIDIA's driver, CUDA 12 and cuDNN 9: libcublasLt.so.12 cannot be loaded",
      "cuda-toolkit-12",
    ],
    [
      "coreml",
      "\nsome words of the driver",
      "macOS 10.15 or newer (onnxruntime says: some words of the driver)",
      "Apple",
    ],
  ] as const)("names what %s needs by what was said: %s", (device, said, missing, broughtBy) => {
    const explained = explainTrial(device, said);
    expect(explained.missing).toBe(missing);
    expect(explained.broughtBy).toContain(broughtBy);
  });
});
