import {
  createCheckpoint,
  createTensor,
  digestFile,
  openCheckpoint,
  saveCheckpoint,
  viewBytes,
} from "@isthmus/core";
import { createHash } from "@isthmus/platform";

/** Describes a checkpoint: names, types, shapes and values of its tensors. */
export async function describeFile(path: string): Promise<readonly string[]> {
  await using checkpoint = await openCheckpoint(path);
  const lines: string[] = [];
  for (const [name, { dtype, shape }] of checkpoint.tensors) {
    const { data } = await checkpoint.read(name);
    const digest = createHash("sha256").update(viewBytes(data)).digest("hex").slice(0, 8);
    lines.push(`${name} ${dtype} [${shape.join(", ")}] ${digest}`);
  }
  return lines;
}

/** Saves a network of one tensor, as any result is saved. */
export async function saveSmall(path: string): Promise<string> {
  const data = Float32Array.from({ length: 1000 }, (_, i) => i / 7);
  const network = createCheckpoint(new Map([["w", createTensor("f32", [10, 100], data)]]), { format: "pt" });
  await saveCheckpoint(network, path, { overwrite: true });
  return digestFile(path);
}
