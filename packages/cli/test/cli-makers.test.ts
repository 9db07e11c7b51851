import { copyFileSync, existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { openCheckpoint } from "@isthmus/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { runAlone } from "../../../test/helpers/run-cli.ts";
import { saveExamples } from "../../../test/helpers/save-examples.ts";
import { exampleFile, makeOwnFolder, writeWaves } from "./own-folder.ts";

const GOLDEN = fileURLToPath(new URL("../../../test/golden/low-rank.json", import.meta.url));

/** What the command of the example prints. */
interface LowRank {
  readonly kind: string;
  readonly network: string;
  readonly matrices: readonly { readonly name: string; readonly rank: number; readonly kept: number }[];
}

const own = makeOwnFolder();
const { folder, at, write, run } = own;

async function valuesOf(file: string, name: string): Promise<readonly number[]> {
  const checkpoint = await openCheckpoint(at(file));
  const { data } = await checkpoint.read(name);
  await checkpoint.close();
  return [...data].map(Number);
}

beforeAll(async () => {
  copyFileSync(exampleFile("low-rank/low-rank.ts"), at("low-rank.ts"));
  // No matrix of these has a small rank.
  const wave = (x: number) => 0.5 * Math.sin(x ** 2);
  await writeWaves(own, "a.safetensors", wave);
  await writeWaves(own, "b.safetensors", wave, 7);
  await saveExamples(randomExamples([6], { size: 24, classes: 4 }), at("data.safetensors"));
  // A training that fails after its first state, unless it goes on from one.
  write(
    "own.mjs",
    `import { existsSync, writeFileSync } from "node:fs";
import { numberField } from "@isthmus/core";
import { average, defineNetworkMaker } from "isthmus";
export const mean = defineNetworkMaker({
  name: "own-mean", summary: "Average networks", from: "networks",
  options: { first: numberField({ above: 0, default: 1, help: "weight of the first" }) },
  make: async ({ networks, architecture }, { first }) => ({
    weights: average(networks, networks.map((_, i) => (i === 0 ? first : 1))),
    result: { networks: networks.length, hasGraph: architecture !== undefined },
  }),
});
export const kept = defineNetworkMaker({
  name: "own-kept", summary: "Keep a network", from: "network", needsGraph: true, resumes: true,
  examples: { data: { help: "examples" }, cueData: { help: "others", isOptional: true } },
  async make({ network, architecture, examples: { data, cueData } }, _, { resuming }) {
    const { statePath, resume } = resuming;
    if (!(resume && existsSync(statePath))) {
      writeFileSync(statePath, "state");
      throw new RangeError("stopped half-way");
    }
    const tensors = architecture.graph.weights.size;
    return { weights: network, result: { examples: data.size, cue: cueData?.size ?? null, tensors } };
  },
});`,
  );
});
afterAll(own.remove);

describe("a network maker of one's own", () => {
  it.each([1, 2])("writes matrices of rank %i as PyTorch makes them", async (rank) => {
    const golden: Record<string, { kept: number; values: number[] }> = JSON.parse(
      readFileSync(GOLDEN, "utf8"),
    )[rank];
    const words = ["--use", "./low-rank.ts", "low-rank", "a.safetensors", "--rank", String(rank)];
    const result = await own.json<LowRank & { readonly outputs: readonly string[] }>([
      ...words,
      "-o",
      `low-${rank}.safetensors`,
    ]);
    expect(result).toMatchObject({
      kind: "low-rank",
      network: "a.safetensors",
      outputs: [`low-${rank}.safetensors`],
    });
    expect(result.matrices.map(({ name }) => name)).toEqual(Object.keys(golden));
    for (const { name, rank: left, kept } of result.matrices) {
      expect([left, kept]).toEqual([rank, expect.closeTo(golden[name]?.kept ?? Number.NaN, 12)]);
      const values = await valuesOf(`low-${rank}.safetensors`, name);
      expect(values).toEqual(golden[name]?.values.map((value) => expect.closeTo(value, 7)));
    }
    expect(await valuesOf(`low-${rank}.safetensors`, "l1.bias")).toEqual(
      await valuesOf("a.safetensors", "l1.bias"),
    );
  });

  it("brings a verb with help in a group of its own, and a file that says how it was made", async () => {
    const help = await runAlone(["--use=low-rank.ts", "--help"], { cwd: folder });
    expect(help.stdout).toMatch(/Your own networks:\n +low-rank +Keep the largest singular values/);
    const verb = await run(["low-rank", "--help", "--use", "low-rank.ts"]);
    expect(verb.stdout).toMatch(
      /--rank <n> .*\(default: 8\)\n(.*\n)*.*isthmus low-rank a\.safetensors --rank 4/,
    );
    expect(verb.stdout).not.toMatch(/--graph|--resume/);
    const words = ["low-rank", "a.safetensors", "--tensors", "l0.weight", "--use", "low-rank.ts"];
    const ran = await run([...words, "--rank", "3", "-o", "low.safetensors"]);
    expect([ran.code, ran.stdout]).toEqual([
      0,
      expect.stringMatching(
        /^Network: a\.safetensors\n\nLow rank of a\.safetensors\.\n\nName +Rank +Kept\nl0\.weight +3 +0\.\d+\n\nWrote low/,
      ),
    ]);
    const made = await openCheckpoint(at("low.safetensors"));
    expect(JSON.parse(String(made.metadata["isthmus"]))).toEqual({
      verb: "low-rank",
      version: expect.any(String),
      rank: 3,
      tensors: ["l0.weight"],
      inputs: ["a.safetensors"],
    });
    await made.close();
    const wrong = await run(["--use", "low-rank.ts", "low-rank", "a.safetensors", "--rank", "0", "-o", "x"]);
    expect([wrong.code, wrong.stderr]).toEqual([
      2,
      expect.stringMatching(/'--rank <n>' .*must be a whole number from 1 to 65536/),
    ]);
  });

  it("writes a page with the settings and what was made", async () => {
    const words = [
      "low-rank",
      "a.safetensors",
      "--rank",
      "3",
      "--use",
      "low-rank.ts",
      "-o",
      "page.safetensors",
    ];
    const named = await run([...words, "--report", "page.txt"]);
    expect([named.code, named.stderr]).toEqual([2, expect.stringMatching(/report .*must end in \.html/)]);
    expect(existsSync(at("page.safetensors"))).toBe(false);
    const plain = await run(words);
    const { code, stdout } = await run([...words, "--report", "page.html"]);
    expect([code, stdout]).toEqual([
      0,
      plain.stdout.replace("Wrote page.safetensors", "Wrote page.safetensors, page.html"),
    ]);
    const page = readFileSync(at("page.html"), "utf8");
    expect(page).toContain("<h1>Low rank of a.safetensors</h1>");
    for (const [name, value] of [
      ["Network", "a.safetensors"],
      ["Rank", "3"],
      ["Output", "page.safetensors"],
    ])
      expect(page.split(`<dt>${name}</dt><dd>${value}</dd>`)).toHaveLength(2);
    expect(page).toMatch(/l0\.weight<\/t[hd]>/);
  });

  it("makes a network of several, whose names may have wildcards", async () => {
    const words = ["--use", "own.mjs", "own-mean", "?.safetensors", "--first", "3", "-o", "mean.safetensors"];
    expect(await own.json(words)).toMatchObject({
      networks: ["a.safetensors", "b.safetensors"],
      hasGraph: false,
    });
    const [a, b] = [await valuesOf("a.safetensors", "l2.bias"), await valuesOf("b.safetensors", "l2.bias")];
    const mean = a.map((value, i) => expect.closeTo((3 * value + Number(b[i])) / 4, 6));
    expect(await valuesOf("mean.safetensors", "l2.bias")).toEqual(mean);
  });

  it("gets the graph and examples that it asks for, and goes on from its state by --resume alone", async () => {
    const data = ["--data", "safetensors:data.safetensors"];
    const words = [
      "own-kept",
      "a.safetensors",
      "--graph",
      "graph.onnx",
      "--use",
      "own.mjs",
      "-o",
      "kept.safetensors",
    ];
    const without = await run(words);
    expect([without.code, without.stderr]).toEqual([
      2,
      expect.stringMatching(/equired option '--data <name>'/),
    ]);
    const stopped = await run([...words, ...data]);
    expect([stopped.code, stopped.stderr]).toEqual([1, expect.stringContaining("stopped half-way")]);
    expect([existsSync(at("kept.state.safetensors")), existsSync(at("kept.safetensors"))]).toEqual([
      true,
      false,
    ]);
    const json = [...words, ...data, "--cue-data", "safetensors:data.safetensors", "--resume"];
    expect(await own.json(json)).toMatchObject({
      kind: "own-kept",
      network: "a.safetensors",
      ...{ examples: 24, cue: 24, tensors: 6 },
      binding: expect.any(Object),
    });
    expect([existsSync(at("kept.state.safetensors")), existsSync(at("kept.safetensors"))]).toEqual([
      false,
      true,
    ]);
  });

  it.each([
    ["verb.mjs", "merge", "", /network maker "merge" as its name must be new.*there is "merge" already/],
    ["key.mjs", "epochs", "", /there is "epochs" already/],
    ["kind.mjs", "study", "", /there is "study" already/],
    ["option.mjs", "own", "star", /its options must not choose another maker in a study: "star" does/],
    ["bad.mjs", "Own", "", /bad\.mjs" .*Cannot define a network maker as "name" must be lower-case words/],
  ])("says what is wrong with %s", async (file, name, option, message) => {
    const options = option === "" ? "{}" : `{ ${option}: flagField({ help: "x" }) }`;
    write(
      file,
      `import { flagField } from "@isthmus/core"; import { defineNetworkMaker } from "isthmus";
export const own = defineNetworkMaker({ name: "${name}", summary: "x", from: "network", options: ${options}, make: async () => {} });`,
    );
    const { code, stdout, stderr } = await run(["inspect", "a.safetensors", "--use", at(file)]);
    expect([code, stdout, stderr]).toEqual([2, "", expect.stringMatching(message)]);
  });
});
