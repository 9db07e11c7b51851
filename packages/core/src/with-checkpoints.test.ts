import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { Checkpoint } from "./checkpoint/checkpoint.ts";
import { withCheckpoints } from "./with-checkpoints.ts";

const pathOf = (name: string) =>
  fileURLToPath(new URL(`../../../examples/mnist-mlp/${name}`, import.meta.url));

test("withCheckpoints() closes what it has opened, also after an error", async () => {
  const opened: Checkpoint[] = [];
  const working = withCheckpoints([pathOf("s0.safetensors"), pathOf("s1.safetensors")], async (both) => {
    opened.push(...both);
    throw new Error("refused");
  });
  await expect(working).rejects.toThrow("refused");
  expect(opened.map(({ source }) => source)).toEqual([pathOf("s0.safetensors"), pathOf("s1.safetensors")]);
  for (const checkpoint of opened) await expect(checkpoint.read("layers.0.bias")).rejects.toThrow("closed");
  await expect(withCheckpoints([pathOf("missing.safetensors")], async () => "open")).rejects.toThrow(
    "missing",
  );
});
