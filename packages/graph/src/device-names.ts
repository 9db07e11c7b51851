/** Names of the devices that can be asked for. */
export const DEVICE_NAMES = ["auto", "cpu", "webgpu", "cuda", "directml", "coreml"] as const;

/** Name of a device, see {@link DEVICE_NAMES}: `auto` tries each graph, and takes the fastest. */
export type DeviceName = (typeof DEVICE_NAMES)[number];

/**
 * Returns the name of an engine without that of its device: `onnxruntime` for `onnxruntime-webgpu`. Work that
 * was begun on one device can go on on another, to the same results but for their last digits.
 */
export function withoutDevice(engine: string): string {
  const device = DEVICE_NAMES.find((name) => engine.endsWith(`-${name}`));
  // The slowest engine of TensorFlow.js is named after the processor, and is another library.
  return device === undefined || device === "cpu" ? engine : engine.slice(0, -device.length - 1);
}
