import { digestFile, openCheckpoint, saveCheckpoint, viewBytes } from "@isthmus/core";
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
