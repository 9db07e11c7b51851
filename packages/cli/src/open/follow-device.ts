import type { DeviceName } from "@isthmus/graph";
import type { Terminal } from "../terminal/terminal.ts";

/** Functions that return the device of a run's engine, by the terminal of the run. */
const DEVICES = new WeakMap<Terminal, () => DeviceName | undefined>();

/**
 * Lets a run know the device of its engine, which `auto` chooses late. It is a module of its own, as most
 * commands start without an engine.
 */
export function followDevice(terminal: Terminal, deviceNow: () => DeviceName | undefined): void {
  DEVICES.set(terminal, deviceNow);
}

/** Returns the device that a run computes on; undefined if it is the processor. */
export function deviceOf(terminal: Terminal): DeviceName | undefined {
  return DEVICES.get(terminal)?.();
}
