// Makes the networks and examples of `inputs` with the command as it was built:
// npx tsx --conditions=@isthmus/source test/golden/command-lines/make-inputs.ts
import { rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { createCheckpoint, createRandom, saveCheckpoint, type Tensor } from "@isthmus/core";
import { runAlone } from "../../helpers/run-cli.ts";

const INPUTS = fileURLToPath(new URL("inputs/", import.meta.url));
const [SIDE, CLASSES] = [6, 4];

/** Draws images of a bright row, whose number is the class, in noise. */
function drawImages(split: "train" | "test", size: number, seed: number): [string, Tensor][] {
  const random = createRandom(seed);
  const pixels = new Uint8Array(size * SIDE * SIDE);
  const labels = Int32Array.from({ length: size }, (_, i) => i % CLASSES);
  for (let i = 0; i < pixels.length; i++) {
    const noise = random.integer(150);
    const image = Math.floor(i / (SIDE * SIDE));
    const row = Math.floor(i / SIDE) % SIDE;
    pixels[i] = noise + (row === 1 + (image % CLASSES) ? 100 : 0);
  }
  return [
    [`x_${split}`, { dtype: "u8", shape: [size, 1, SIDE, SIDE], data: pixels }],
    [`y_${split}`, { dtype: "i32", shape: [size], data: labels }],
  ];
}

const tensors = new Map([...drawImages("train", 48, 1), ...drawImages("test", 24, 2)]);
await rm(`${INPUTS}examples.safetensors`, { force: true });
await saveCheckpoint(createCheckpoint(tensors, {}, "examples"), `${INPUTS}examples.safetensors`);
for (const [seed, name] of ["a", "b", "c"].entries()) {
  const words = [
    "train",
    "--net",
    "mlp:6",
    "--data",
    "safetensors:examples.safetensors",
    "--seed",
    `${seed}`,
  ];
  const more = ["--epochs", "30", "--batch", "8", "--lr", "0.1", "--eval-data", "none", "--threads", "1"];
  const graph = ["--save-graph", "graph.onnx"];
  for (const file of [`${name}.safetensors`, "graph.onnx"]) await rm(`${INPUTS}${file}`, { force: true });
  const run = await runAlone([...words, ...more, ...graph, "-o", `${name}.safetensors`], { cwd: INPUTS });
  if (run.code !== 0) throw new TypeError(`Cannot train "${name}": ${run.stderr}`);
}
