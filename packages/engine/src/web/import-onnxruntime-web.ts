import { UnsupportedError } from "@isthmus/core";
import type * as OnnxRuntimeWeb from "onnxruntime-web";
import type { WebDevice } from "./web-device.ts";

/**
 * Imports the part of `onnxruntime-web` for a device.
 * @throws UnsupportedError if it is not installed, or there is no WebGPU
 */
export async function importOnnxRuntimeWeb(device: WebDevice): Promise<typeof OnnxRuntimeWeb> {
  if (device === "webgpu") await assertWebGpu();
  try {
    return device === "webgpu"
      ? await import("onnxruntime-web/webgpu")
      : await import("onnxruntime-web/wasm");
  } catch (cause) {
    throw new UnsupportedError(
      `Cannot run graphs on onnxruntime-web as it must be installed: add onnxruntime-web (${(cause as Error).message})`,
      { feature: "onnxruntime-web", cause },
    );
  }
}

/** Checks that there is a graphics card to compute on: browsers may know WebGPU and have none. */
async function assertWebGpu(): Promise<void> {
  const { navigator } = globalThis as {
    readonly navigator?: { readonly gpu?: { readonly requestAdapter: () => Promise<object | null> } };
  };
  const adapter = await navigator?.gpu?.requestAdapter();
  if (adapter !== undefined && adapter !== null) return;
  throw new UnsupportedError(
    'Cannot run graphs on WebGPU as the browser must offer it: it offers none here; create the engine with device "wasm"',
    { feature: "webgpu" },
  );
}
