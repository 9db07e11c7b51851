import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { saveCheckpoint } from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import { encodeGraph } from "@isthmus/graph";
import { parseNetwork } from "@isthmus/zoo";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { killOnceRewritten } from "../../../test/helpers/kill-once-rewritten.ts";
import { markovText } from "../../../test/helpers/markov-text.ts";
import { runAlone, runCli, runJson } from "../../../test/helpers/run-cli.ts";

const NETWORKS = ["0.safetensors", "1.safetensors", "2.safetensors"];

let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-align-learned-"));
  const text = join(folder, "text.txt");
  writeFileSync(text, markovText(4000, 0));
  const network = parseNetwork("gpt:d1:w16:h2:c16", await openDataSet(`text:${text}`, { context: 16 }));
  for (const [seed, name] of NETWORKS.entries())
    await saveCheckpoint(network.initialize(seed), join(folder, name));
  writeFileSync(join(folder, "net.onnx"), encodeGraph(network.graph));
});
afterEach(() => rmSync(folder, { recursive: true }));

const LEARNING = ["--graph", "net.onnx", "--data", "text:text.txt:train", "--method", "learned"];
const FEW = [...LEARNING, "--match-steps", "40", "--match-batch", "8"];

interface LearnedJson {
  readonly reference: string;
  readonly objective: { readonly before: number; readonly after: number };
  readonly networks: readonly { readonly start: unknown; readonly verified: { readonly passed: boolean } }[];
}

describe("isthmus align of several networks by learning", () => {
  it("goes on after it was killed, to the same bytes, and writes all in the coordinates of one", async () => {
    const args = ["align", ...NETWORKS, ...FEW, "--reference", "2"];
    const whole = await runJson<LearnedJson>([...args, "-o", "whole"], { cwd: folder });
    expect(whole.reference).toBe(NETWORKS[1]);
    expect(whole.objective.after).toBeGreaterThan(whole.objective.before);
    expect(whole.networks.map(({ start }) => start === null)).toEqual([false, true, false]);
    expect(whole.networks.every(({ verified }) => verified.passed)).toBe(true);
    await runAlone([...args, "-o", "again"], {
      cwd: folder,
      onStart: killOnceRewritten(join(folder, "again.state.safetensors")),
    });
    expect(existsSync(join(folder, "again"))).toBe(false);
    const { code, stderr, stdout } = await runCli([...args, "-o", "again"], { cwd: folder });
    expect(stderr).toMatch(/^Going on with what was interrupted at ".*again\.state\.safetensors"/m);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^coordinates\s+of 1\.safetensors; with it$/m);
    expect(readdirSync(join(folder, "again")).sort()).toEqual(NETWORKS);
    const read = (...names: string[]) => readFileSync(join(folder, ...names));
    for (const name of NETWORKS) expect(read("again", name).equals(read("whole", name))).toBe(true);
    expect(existsSync(join(folder, "again.state.safetensors"))).toBe(false);
  });

  it("merges them so with --align", async () => {
    const args = ["merge", ...NETWORKS, "--align", ...LEARNING, "--match-steps", "2", "-o", "m.safetensors"];
    const { alignments } = await runJson<{ readonly alignments: readonly { readonly method: string }[] }>(
      args,
      { cwd: folder },
    );
    expect(alignments.map(({ method }) => method)).toEqual(["learned", "learned"]);
  });

  it.each([
    [["-o", "x.json"], /holds permutations only, and rotations are learned/],
    [["-o", "out", "--save-alignment", "x.json"], /holds permutations only, and rotations are learned/],
    [["-o", "out", "--many", "cycle"], /--many cycle by --method learned as all of them learn at once/],
    [["-o", "out", "--reference", "4"], /--reference 4 as it must be the number of one of them: give 1 to 3/],
    [["-o", "listed"], /"listed" as its alignments\.json lists permutations of an earlier alignment/],
  ])("refuses %j, and writes nothing", async (extra, message) => {
    await runCli(
      ["align", ...NETWORKS.slice(0, 2), "--many", "tree", "--graph", "net.onnx", "-o", "listed"],
      {
        cwd: folder,
      },
    );
    const { code, stderr } = await runCli(["align", ...NETWORKS, ...FEW, ...extra], { cwd: folder });
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
    expect(readdirSync(folder).filter((name) => /^(out|x)/.test(name))).toEqual([]);
  });
});
