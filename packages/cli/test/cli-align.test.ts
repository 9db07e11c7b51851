import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCheckpoint, saveCheckpoint } from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import { encodeGraph, randomWeights } from "@isthmus/graph";
import { parseNetwork } from "@isthmus/zoo";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";
import { killOnceRewritten } from "../../../test/helpers/kill-once-rewritten.ts";
import { markovText } from "../../../test/helpers/markov-text.ts";
import { NARROW_MLP } from "../../../test/helpers/narrow-mlp.ts";
import { runAlone, runCli, runJson } from "../../../test/helpers/run-cli.ts";

const [a, b, graph] = ["s0.safetensors", "s1.safetensors", "graph.onnx"].map((name) =>
  join(NARROW_MLP, name),
) as [string, string, string];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-align-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

interface AlignJson {
  readonly objective: { readonly before: number; readonly after: number };
  readonly bound: number;
  readonly seconds: { readonly reading: number };
}

interface NormalizedJson {
  readonly normalized: {
    readonly kinds: readonly string[];
    readonly distance: { readonly before: number; readonly after: number };
  };
  readonly verified: { readonly maxRelativeError: number };
}

describe("isthmus align --method learned", () => {
  /** Saves a small GPT of characters, another for each seed, and a text. */
  async function prepare(): Promise<readonly string[]> {
    const text = join(folder, "text.txt");
    writeFileSync(text, markovText(4000, 0));
    const data = await openDataSet(`text:${text}`, { context: 16 });
    const network = parseNetwork("gpt:d1:w16:h2:c16", data);
    for (const seed of [0, 1])
      await saveCheckpoint(network.initialize(seed), join(folder, `${seed}.safetensors`));
    writeFileSync(join(folder, "net.onnx"), encodeGraph(network.graph));
    const files = ["0.safetensors", "1.safetensors", "--graph", "net.onnx", "--data", "text:text.txt:train"];
    return ["align", ...files, "--method", "learned", "--match-steps", "60", "--match-batch", "8"];
  }

  it("goes on after it was killed, to the same bytes, and leaves nothing behind", async () => {
    const args = await prepare();
    const whole = await runAlone([...args, "-o", "whole.safetensors"], { cwd: folder });
    expect(whole.code).toBe(0);
    const state = join(folder, "b.state.safetensors");
    const killed = await runAlone([...args, "-o", "b.safetensors"], {
      cwd: folder,
      onStart: killOnceRewritten(state),
    });
    expect(killed.stdout).toBe("");
    expect(existsSync(state)).toBe(true);
    const resumed = await runCli([...args, "-o", "b.safetensors"], { cwd: folder });
    expect(resumed.code).toBe(0);
    expect(resumed.stderr).toMatch(
      /^Going on with what was interrupted at "b\.state\.safetensors": \d\d steps are made\.$/m,
    );
    const read = (name: string) => readFileSync(join(folder, name));
    expect(read("b.safetensors").equals(read("whole.safetensors"))).toBe(true);
    expect(readdirSync(folder).filter((name) => !/^[01]\.|^net|^text|^whole/.test(name))).toEqual([
      "b.safetensors",
    ]);
  });

  it("stopped by SIGINT says how to go on, and with other options starts anew", async () => {
    const args = await prepare();
    const state = join(folder, "out.state.safetensors");
    const stopped = await runAlone([...args, "--match-steps", "5000", "-o", "out"], {
      cwd: folder,
      onStart: (child) => {
        const watch = setInterval(() => {
          if (child.exitCode === null && !existsSync(state)) return;
          clearInterval(watch);
          child.kill("SIGINT");
        }, 1);
      },
    });
    expect(stopped.code).toBe(130);
    expect(stopped.stderr).toMatch(
      /what is learned so far is in ".*out\.state\.safetensors": the same command goes on/,
    );
    const { stderr, code } = await runCli([...args, "--match-steps", "2", "-o", "out"], { cwd: folder });
    expect(stderr).toMatch(/^Starting anew what was interrupted at ".*", as this has changed: steps\.$/m);
    expect(code).toBe(0);
    expect(existsSync(state)).toBe(false);
  });

  it("writes over none of its inputs", async () => {
    const args = await prepare();
    const { code, stderr } = await runCli([...args, "-o", "1.safetensors"], { cwd: folder });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^isthmus align: Cannot write .*1\.safetensors/);
  });

  it.each([
    ["--match-at", "sampled"],
    ["--match-units", "straight-through"],
    ["--match-rule", "orthogonal"],
    ["--match-ends", "both"],
  ])("learns otherwise with %s %s", async (...choice) => {
    const args = await prepare();
    const few = [...args, "--match-steps", "3"];
    expect((await runCli([...few, "-o", "usual.safetensors"], { cwd: folder })).code).toBe(0);
    expect((await runCli([...few, ...choice, "-o", "other.safetensors"], { cwd: folder })).code).toBe(0);
    const [usual, other] = ["usual", "other"].map((name) =>
      readFileSync(join(folder, `${name}.safetensors`)),
    );
    expect(other?.equals(usual as Buffer)).toBe(false);
  });

  it.each([
    ["--match-batch", "8"],
    ["--match-at", "sampled"],
    ["--match-units", "straight-through"],
    ["--match-rule", "orthogonal"],
    ["--match-ends", "both"],
  ])("takes %s by no other method", async (...choice) => {
    const args = ["align", a, b, "--graph", graph, "-o", join(folder, "x.safetensors"), ...choice];
    const { code, stderr } = await runCli(args);
    expect(code).toBe(2);
    expect(stderr).toContain(`${choice[0]} by --method weight as it is of --method learned`);
  });
});

describe("isthmus align", () => {
  it("isthmus align keeps within memory, matches what it is told, and says how far the bound is", async () => {
    const output = join(folder, "alignment.json");
    const args = ["align", a, b, "--graph", graph, "--restarts", "1", "-o", output];
    const [loaded, streamed, one] = [
      await runJson<AlignJson>([...args, "--search", "coordinate-descent"]),
      await runJson<AlignJson>([...args, "--memory", "64MB"]),
      await runJson<AlignJson>([...args, "--only", "layers.0*"]),
    ];
    expect(streamed.objective.after).toBeCloseTo(loaded.objective.after, 3);
    expect(streamed.seconds.reading).toBeGreaterThan(0);
    expect(one.objective.after).toBeLessThan(loaded.objective.after);
    expect(loaded.bound).toBeGreaterThan(loaded.objective.after);
    const wrong = await runCli([...args, "--skip", "nothing"]);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toMatch(
      /every pattern of skip must fit the name of a symmetry: "nothing" fits none of/,
    );
    const other = await runCli([
      ...args,
      "--method",
      "activation",
      "--memory",
      "1GB",
      "--data",
      "mnist:test@9",
    ]);
    expect(other.code).toBe(2);
    expect(other.stderr).toMatch(/--memory as only --method weight has this option: got both/);
  });

  it("isthmus align --normalize undoes scales, says so, and is measured closer", async () => {
    const output = join(folder, "b.safetensors");
    const args = ["align", a, b, "--graph", graph, "--restarts", "1", "--search", "coordinate-descent"];
    const { normalized, verified } = await runJson<NormalizedJson>([...args, "--normalize", "-o", output]);
    expect(normalized).toMatchObject({ kinds: ["scale", "sign", "rotation"], scales: 384, rotations: 0 });
    expect(normalized.distance.after).toBeLessThan(normalized.distance.before);
    expect(verified.maxRelativeError).toBeLessThan(1e-3);
  });

  it.each([
    [["align", a, b, "--normalize", "scale,size", "-o", "x.safetensors"], /"size" is not one/],
    [["align", a, b, "--normalize", "-o", "x.json"], /it holds permutations only: name a \.safetensors/],
    [
      ["align", a, b, "--normalize", "--memory", "1GB", "-o", "x.safetensors"],
      /held in memory: leave one out/,
    ],
    [["merge", a, b, "--normalize", "-o", "x.safetensors"], /--normalize needs --align; add it/],
    [["barrier", a, b, "--normalize", "--data", "mnist:test@9"], /--normalize needs --align; add it/],
  ])("isthmus %j is refused", async (args, message) => {
    const graphs = args[0] === "merge" ? [] : ["--graph", graph];
    const { code, stderr } = await runCli([...args, ...graphs], { cwd: folder });
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });

  it("says why nothing moves where an output shows the units, and aligns what --outputs names", async () => {
    const b = new GraphBuilder();
    const features = b.op("Relu", [b.linear(b.input("x", [4]), "body", 4, 8)]);
    const logits = b.linear(features, "head", 8, 3);
    const built = b.output(features).output(logits).build("two outputs");
    const path = join(folder, "net.onnx");
    writeFileSync(path, encodeGraph(built));
    const files = ["a", "b"].map((name) => join(folder, `${name}.safetensors`));
    for (const [seed, file] of files.entries()) {
      await saveCheckpoint(createCheckpoint(randomWeights(built, seed)), file);
    }
    const output = join(folder, "aligned.safetensors");
    const args = ["align", ...files, "--graph", path, "-o", output];
    const still = await runCli(args);
    expect(still.stderr).toContain(
      `Nothing can be permuted, as output ${features} must keep the order of units; if only ${logits} counts, say so by --outputs ${logits}`,
    );
    const moved = await runCli([...args, "--outputs", logits]);
    expect(moved.stderr).not.toContain("Nothing can be permuted");
    expect(moved.stdout).toContain(`B computes the same ${logits}, to`);
    const proof = await runCli(["symmetry", path, "--verify", "--outputs", logits]);
    expect(proof.stdout).toContain(`Verified for ${logits}: `);
    const merged = join(folder, "merged.safetensors");
    const merge = await runCli(["merge", ...args.slice(1, -2), "--align", "--outputs", logits, "-o", merged]);
    expect(merge.stdout).toContain(`verified for ${logits}`);
    const wrong = await runCli([...args, "--outputs", "nothing"]);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('Cannot count output "nothing"')]);
  });
});
