// Does work of some kinds on small networks on a device, and prints its numbers as JSON.
//
//   node --conditions=@isthmus/source --import tsx test/devices/do-work.ts DEVICE KIND...
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import type { DeviceName } from "@isthmus/graph";
import { MEASURES, STEPS } from "../helpers/work-on-device.ts";

/** Numbers of each kind of work. */
export type WorkDone = Readonly<Record<string, readonly number[]>>;

const [device = "cpu", ...kinds] = process.argv.slice(2);
const engine = createOnnxRuntimeEngine({ device: device as DeviceName });
const done: Record<string, readonly number[]> = {};
for (const [kind, work] of Object.entries({ ...STEPS, ...MEASURES })) {
  if (!kinds.includes(kind)) continue;
  const before = process.cpuUsage();
  done[kind] = await work(engine);
  const { user, system } = process.cpuUsage(before);
  process.stderr.write(`${kind}: ${((user + system) / 1e6).toFixed(1)} seconds of processors\n`);
}
process.stdout.write(JSON.stringify(done satisfies WorkDone));
