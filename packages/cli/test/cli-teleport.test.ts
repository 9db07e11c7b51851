import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCheckpoint, saveCheckpoint } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { encodeGraph } from "@isthmus/graph";
import { type TeleportResult, teleport } from "@isthmus/teleportation";
import { afterAll, beforeAll, expect, test } from "vitest";
import { randomNetwork } from "../../../test/helpers/random-network.ts";
import { runCli, runJson } from "../../../test/helpers/run-cli.ts";
import { smallMlp } from "../../../test/helpers/small-networks.ts";

let folder: string;
const at = (name: string) => join(folder, name);
const graph = smallMlp();
const command = (...rest: readonly string[]) => [
  ...["teleport", at("a.safetensors"), "--graph", at("graph.onnx"), "-o", at("t.safetensors"), ...rest],
];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-teleport-"));
  writeFileSync(at("graph.onnx"), encodeGraph(graph));
  await saveCheckpoint(randomNetwork(graph, 1), at("a.safetensors"));
});
afterAll(() => rmSync(folder, { recursive: true }));

test("isthmus teleport writes the network that teleport() returns, and with --dry-run nothing", async () => {
  const planned = await runCli(command("--dry-run"));
  expect(planned.stdout).toMatch(/l0\.weight +scales +16 +1/);
  expect(existsSync(at("t.safetensors"))).toBe(false);
  const printed = await runJson<TeleportResult>(command("--steps", "3", "--moves", "scales"));
  const architecture = { graph, engine: createOnnxRuntimeEngine() };
  const { weights, result } = await teleport(architecture, randomNetwork(graph, 1), {
    steps: 3,
    moves: ["scales"],
  });
  expect(printed).toMatchObject({ kind: "teleport", after: result.after, groups: result.groups });
  const written = await openCheckpoint(at("t.safetensors"));
  expect((await written.read("l1.weight")).data).toEqual((await weights.read("l1.weight")).data);
  await written.close();
  const wrong = await runCli(command("--objective", "gradient-norm"));
  expect(wrong.stderr).toContain("add --data");
});
