// Computes convolutions on a device and on the processor, and prints as JSON how they differ.
//
//   node --conditions=@isthmus/source --import tsx packages/engine/test/devices/ask-device.ts DEVICE
import { createRandom, messageOf, sizeOf } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import type { DeviceName, Engine } from "@isthmus/graph";
import { conv, GraphBuilder } from "@isthmus/graph/builder";

/** The answer of a device to one question. */
export interface DeviceAnswer {
  /** Largest difference of each convolution from that of the processor; missing after a failure. */
  readonly differences?: readonly number[];
  /** Message of the error by which the device failed. */
  readonly failure?: string;
  /** Name of the engine once it has computed. */
  readonly engine: string;
  /** Notes of the engine. */
  readonly notes: readonly string[];
}

const [device = "cpu"] = process.argv.slice(2);
const notes: string[] = [];
const engine = createOnnxRuntimeEngine({
  device: device as DeviceName,
  onNote: (text) => notes.push(text),
});
const processor = createOnnxRuntimeEngine();

/** Computes a convolution of so many channels; the numbers are the same for each engine. */
async function convolve(on: Engine, channels: number): Promise<Float32Array> {
  const builder = new GraphBuilder(`${channels} channels`, 17);
  const x = builder.input("x", { dtype: "f32", shape: [2, channels, 6, 6] });
  const kernel = builder.weight("kernel", { dtype: "f32", shape: [16, channels, 3, 3] });
  const graph = builder.build([builder.rename(conv(x, kernel, {}), "y")]);
  const session = await on.load(graph);
  const random = createRandom(channels, "numbers");
  const draw = (shape: readonly number[]) => ({
    dtype: "f32" as const,
    shape,
    data: Float32Array.from({ length: sizeOf(shape) }, () => random.normal()),
  });
  const feeds = new Map([x, kernel].map(({ name, shape }) => [name, draw(shape)]));
  const results = await session.run(feeds);
  await session.release();
  return results.get("y")?.data as Float32Array;
}

async function answer(): Promise<Pick<DeviceAnswer, "differences" | "failure">> {
  try {
    const differences: number[] = [];
    for (const channels of [6, 8]) {
      const [there, here] = [await convolve(engine, channels), await convolve(processor, channels)];
      differences.push(Math.max(...there.map((value, i) => Math.abs(value - (here[i] ?? Number.NaN)))));
    }
    return { differences };
  } catch (error) {
    return { failure: messageOf(error) };
  }
}

const answered = await answer();
process.stdout.write(JSON.stringify({ ...answered, engine: engine.name, notes } satisfies DeviceAnswer));
