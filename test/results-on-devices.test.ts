import { expect, it } from "vitest";
import type { WorkDone } from "./devices/do-work.ts";
import { hasSwiftShader, runScript } from "./helpers/swiftshader.ts";

const DO_WORK = new URL("./devices/do-work.ts", import.meta.url);

/**
 * Kinds of work that are done on SwiftShader, which compiles a program for each operator first:
 * `ISTHMUS_DEVICE_WORK` names others, separated by commas, as all of them take half a minute of processors.
 */
const KINDS = (process.env["ISTHMUS_DEVICE_WORK"] ?? "curve,barrier,polar factors").split(",");

it.skipIf(!hasSwiftShader)(
  `${KINDS.join(", ")} of a graphics card in software are within 1e-5 of those of the processor`,
  { timeout: 600_000 },
  async () => {
    const [there, here] = await Promise.all(
      ["webgpu", "cpu"].map((device) => runScript<WorkDone>(DO_WORK, [device, ...KINDS])),
    );
    expect(Object.keys(here ?? {}).sort()).toEqual(KINDS.toSorted());
    for (const [kind, expected] of Object.entries(here ?? {})) {
      const numbers = there?.[kind] ?? [];
      expect(numbers).toHaveLength(expected.length);
      const size = Math.max(1, ...expected.map(Math.abs));
      const farthest = Math.max(...expected.map((value, i) => Math.abs(value - (numbers[i] ?? Number.NaN))));
      expect(farthest, kind).toBeLessThan(1e-5 * size);
    }
  },
);
