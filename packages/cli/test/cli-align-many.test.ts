import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCheckpoint, saveCheckpoint, withTensors } from "@isthmus/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NARROW_MLP } from "../../../test/helpers/narrow-mlp.ts";
import { runCli, runJson } from "../../../test/helpers/run-cli.ts";

const graph = join(NARROW_MLP, "graph.onnx");

let folder: string;
let networks: readonly string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-align-many-"));
  networks = ["s0", "s1", "s2"].map((name) => join(folder, `${name}.safetensors`));
  for (const [i, path] of networks.entries()) cpSync(join(NARROW_MLP, `s${i % 2}.safetensors`), path);
});
afterEach(() => rmSync(folder, { recursive: true }));

interface ManyJson {
  readonly many: string;
  readonly reference: string;
  readonly objective: { readonly before: number; readonly after: number };
  readonly searches: readonly { readonly many: string }[];
  readonly networks: readonly {
    readonly checkpoint: string;
    readonly verified: { readonly passed: boolean };
  }[];
}

const read = (path: string, name: string) => openCheckpoint(path).then((network) => network.read(name));

describe("isthmus align with more than two networks", () => {
  it("writes all of them and the permutations, in the coordinates of the one that is named", async () => {
    const output = join(folder, "aligned");
    const args = ["align", ...networks, "--graph", graph, "--restarts", "1", "--many", "tree"];
    const result = await runJson<ManyJson>([...args, "--reference", "3", "-o", output]);
    expect(result).toMatchObject({ many: "tree", reference: networks[2] });
    expect(result.objective.after).toBeGreaterThan(result.objective.before);
    expect(result.networks.every(({ verified }) => verified.passed)).toBe(true);
    expect(readdirSync(output).sort()).toEqual([
      "alignments.json",
      "s0.safetensors",
      "s1.safetensors",
      "s2.safetensors",
    ]);
    const { data } = await read(join(output, "s2.safetensors"), "layers.0.weight");
    expect(data).toEqual((await read(networks[2] ?? "", "layers.0.weight")).data);
    // The first and the third are one network, so they end in the same places.
    expect((await read(join(output, "s0.safetensors"), "layers.0.weight")).data).toEqual(data);
    const { networks: alignments } = JSON.parse(readFileSync(join(output, "alignments.json"), "utf8"));
    expect(alignments.map(({ checkpoint }: { checkpoint: string }) => checkpoint)).toEqual(networks);
    const { metadata } = await openCheckpoint(join(output, "s0.safetensors"));
    const names = ["s0", "s1", "s2"].map((name) => `${name}.safetensors`);
    expect(JSON.parse(metadata["isthmus"] ?? "")).toMatchObject({
      inputs: names,
      network: names[0],
      reference: names[2],
    });
  });

  it("takes the start whose mean has the least loss on examples, and says the losses", async () => {
    const pair = networks.slice(0, 2);
    const args = [...pair, "--graph", graph, "--many", "cycle", "--restarts", "2", "--judge", "merged"];
    const output = join(folder, "universe.json");
    const given = ["align", ...args, "--data", "mnist:test@50", "-o", output];
    const { searches } = await runJson<{ readonly searches: readonly { readonly loss: number }[] }>(given);
    expect(searches).toHaveLength(2);
    for (const { loss } of searches) expect(loss).toBeGreaterThan(0);
    const { stderr } = await runCli(["align", ...args, "-o", output]);
    expect(stderr).toMatch(/--judge merged as merged networks are judged on examples: add --data/);
  });

  it("refuses to leave networks of an earlier alignment beside new ones", async () => {
    const output = join(folder, "aligned");
    mkdirSync(output);
    const earlier = { networks: networks.map((checkpoint) => ({ checkpoint })) };
    writeFileSync(join(output, "alignments.json"), JSON.stringify(earlier));
    for (const name of ["s1", "s2", "mine"]) writeFileSync(join(output, `${name}.safetensors`), name);
    const args = ["align", ...networks.slice(0, 2), "--many", "tree", "--graph", graph, "-o", output];
    const { code, stderr } = await runCli(args);
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/would stay .*: s2.safetensors, .*; remove them/),
    ]);
    expect(readFileSync(join(output, "s1.safetensors"), "utf8")).toBe("s1");
  });

  it("merges copies to what they were, and says how networks were aligned", async () => {
    const output = join(folder, "merged.safetensors");
    const copies = [0, 2].map((i) => networks[i] ?? "");
    const args = [
      "merge",
      ...copies,
      join(NARROW_MLP, "s0.safetensors"),
      "--align",
      "--graph",
      graph,
      "-o",
      output,
    ];
    const { alignments } = await runJson<{ readonly alignments: readonly { readonly many: string }[] }>(args);
    expect(alignments).toHaveLength(2);
    expect(alignments[0]?.many).toMatch(/reference|tree|cycle/);
    expect((await read(output, "layers.0.weight")).data).toEqual(
      (await read(networks[0] ?? "", "layers.0.weight")).data,
    );
  });

  it("names what is wrong, and writes nothing", async () => {
    const output = join(folder, "aligned");
    const broken = join(folder, "seventh.safetensors");
    const good = await openCheckpoint(networks[0] ?? "");
    const bias = await good.read("layers.1.bias");
    const data = new Float32Array(128).fill(Number.NaN);
    await saveCheckpoint(
      withTensors(good, new Map([["layers.1.bias", { ...bias, dtype: "f32", data }]])),
      broken,
      {
        allowNonFinite: true,
      },
    );
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [
        [...networks, ...networks, broken],
        /"layers.1.bias" of ".*seventh.safetensors" as weights must be finite/,
      ],
      [[networks[0] ?? ""], /at least two checkpoints are needed: got 1/],
      [
        [...networks, "--reference", "4"],
        /--reference 4 as it must be the number of one of them: give 1 to 3/,
      ],
      [[...networks, "--search", "frank-wolfe"], /--search frank-wolfe as it is for two/],
      [
        [...networks, "--method", "straight-through", "--data", "mnist:test@9"],
        /straight-through as it is for two/,
      ],
    ];
    for (const [args, message] of cases) {
      const { code, stderr } = await runCli(["align", ...args, "--graph", graph, "-o", output]);
      expect(stderr).toMatch(message);
      expect(code).toBeGreaterThan(0);
    }
    expect(existsSync(output)).toBe(false);
    const file = join(folder, "x.safetensors");
    const two = [...networks.slice(0, 2), "--reference", "2"];
    const single = await runCli(["align", ...two, "--graph", graph, "-o", file]);
    expect(single.stderr).toMatch(
      /as each of them is written: name a folder, or a .json .*; without --many and --reference only the second is/,
    );
  });
});
