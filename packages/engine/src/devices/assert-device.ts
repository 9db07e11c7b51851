import { OutOfRangeError } from "@isthmus/core";
import { DEVICE_NAMES, type DeviceName } from "@isthmus/graph";

/**
 * Checks the name of a device.
 * @throws OutOfRangeError if there is none of that name
 */
export function assertDevice(device: string): asserts device is DeviceName {
  if ((DEVICE_NAMES as readonly string[]).includes(device)) return;
  throw new OutOfRangeError(
    `Cannot choose the device of onnxruntime as it must be one of ${DEVICE_NAMES.join(", ")}: it is "${device}"`,
  );
}
