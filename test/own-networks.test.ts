import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { convertCheckpoint, createCheckpoint, openCheckpoint, type Tensor } from "@isthmus/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { guideSteps, savedFiles } from "../tools/guide-steps.mjs";
import { runCli } from "./helpers/run-cli.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const guide = readFileSync(join(root, "docs", "start", "script.md"), "utf8");
// Networks with batch norms of golden/generate-exported-networks.py, as torch's default exporter writes them.
const FILES = join(root, "test", "fixtures", "exported-networks");
let folder: string;

/** Writes `data.npz` as the guide's `export.py` does, with the same examples to train and to test. */
async function writeData(): Promise<void> {
  await using examples = await openCheckpoint(join(FILES, "examples.safetensors"));
  const arrays: Record<string, Tensor> = {};
  for (const name of ["x", "y"]) {
    const tensor = await examples.read(name);
    for (const split of ["train", "test"]) arrays[`${name}_${split}`] = tensor;
  }
  await convertCheckpoint(createCheckpoint(arrays), join(folder, "data.npz"));
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-own-"));
  copyFileSync(join(FILES, "conv-norm-0.pt"), join(folder, "a.pt"));
  copyFileSync(join(FILES, "conv-norm-1.pt"), join(folder, "b.pt"));
  copyFileSync(join(FILES, "conv-norm-dynamo.onnx"), join(folder, "model.onnx"));
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(join(root, "packages", "isthmus"), join(folder, "node_modules", "isthmus"));
  await writeData();
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Header of a file of safetensors without its metadata, and the bytes behind it. */
function tensorsOf(name: string) {
  const file = readFileSync(join(folder, name));
  const length = Number(file.readBigUInt64LE(0));
  const { __metadata__: _, ...tensors } = JSON.parse(file.toString("utf8", 8, 8 + length));
  return { tensors, bytes: file.subarray(8 + length).toString("base64") };
}

describe("docs/start/script.md on networks with batch norms", () => {
  it("its three commands for networks of one's own run, and score what was merged", async () => {
    const lines = guideSteps(guide).find(({ commands }) => /data\.npz/.test(commands.join()))?.commands ?? [];
    expect(lines).toHaveLength(3);
    const printed: string[] = [];
    for (const line of lines) {
      const { code, stdout, stderr } = await runCli(line.split(" ").slice(2), { cwd: folder });
      expect(code, stderr).toBe(0);
      printed.push(stdout);
    }
    expect(printed[1]).toMatch(/^on npz:data\.npz:train, [\s\S]*^a\.pt .*^b\.pt .*^merged /ms);
  });

  it("its script writes the tensors that the command writes, byte for byte, under the names of the networks", async () => {
    const [script = ""] = (savedFiles(guide).get("merge.mjs") ?? "").split("\nconst digits");
    expect(script).toContain("saveCheckpoint");
    const ending = "\nawait Promise.all([a.close(), b.close()]);\n";
    writeFileSync(join(folder, "merge.mjs"), `${script}${ending}`);
    execFileSync(process.execPath, ["merge.mjs"], { cwd: folder });
    renameSync(join(folder, "merged.safetensors"), join(folder, "script.safetensors"));
    const args = ["merge", "a.pt", "b.pt", "--align", "--graph", "model.onnx", "-o", "command.safetensors"];
    expect((await runCli(args, { cwd: folder })).code).toBe(0);
    const command = tensorsOf("command.safetensors");
    expect(tensorsOf("script.safetensors")).toEqual(command);
    await using a = await openCheckpoint(join(folder, "a.pt"));
    expect(Object.keys(command.tensors).sort()).toEqual([...a.tensors.keys()].sort());
  });
});
