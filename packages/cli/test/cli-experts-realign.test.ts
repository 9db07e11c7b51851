import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCheckpoint, createTensor, openCheckpoint, saveCheckpoint } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { discoverSymmetries, permute, randomAlignment, wholeSpec } from "@isthmus/symmetry";
import { networkOfConfig } from "@isthmus/zoo";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { distance } from "../../../test/helpers/distance.ts";
import { MIXTURE_CONFIGS } from "../../../test/helpers/mixture-configs.ts";
import { runCli } from "../../../test/helpers/run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "isthmus-cli-realign-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = { cwd: folder };

beforeAll(async () => {
  const { mixtral } = MIXTURE_CONFIGS;
  const { graph, initialize } = networkOfConfig(mixtral);
  const spec = wholeSpec(await discoverSymmetries({ graph, engine: createOnnxRuntimeEngine() }));
  const networks = {
    a: initialize(1),
    moved: permute(randomAlignment(spec, 2), initialize(1), spec),
    b: initialize(2),
    three: networkOfConfig({ ...mixtral, num_local_experts: 3 }).initialize(1),
  };
  for (const [name, network] of Object.entries(networks)) {
    mkdirSync(join(folder, name));
    await saveCheckpoint(network, join(folder, name, "model.safetensors"));
    const config = name === "three" ? { ...mixtral, num_local_experts: 3 } : mixtral;
    writeFileSync(join(folder, name, "config.json"), JSON.stringify(config));
  }
  const ids = BigInt64Array.from({ length: 8 * 6 }, (_, i) => BigInt((i * i) % 20));
  const texts = createCheckpoint({ input_ids: createTensor("i64", [8, 6], ids) });
  await saveCheckpoint(texts, join(folder, "texts.safetensors"));
});

describe("isthmus align and merge of mixtures", () => {
  it("bring planted experts back, and save where each went", async () => {
    const aligned = await runCli(["align", "a", "moved", "-o", "back", "--save-alignment", "found.json"], at);
    expect(aligned.stderr).not.toContain("Cannot");
    const [a, back] = [
      await openCheckpoint(join(folder, "a/model.safetensors")),
      await openCheckpoint(join(folder, "back/model.safetensors")),
    ];
    expect(await distance(a, back)).toBe(0);
    await Promise.all([a.close(), back.close()]);
    const { permutations } = JSON.parse(readFileSync(join(folder, "found.json"), "utf8"));
    expect(permutations["model.layers.1.block_sparse_moe.experts"]).toHaveLength(4);
    const merged = await runCli(["merge", "a", "moved", "--align", "-o", "merged"], at);
    expect([merged.code, merged.stdout]).toEqual([0, expect.stringContaining("verified")]);
  });

  it("refuse mixtures of other numbers of experts, and name what differs", async () => {
    for (const args of [
      ["merge", "a", "three", "-o", "m"],
      ["merge", "a", "three", "--align", "-o", "m"],
      ["align", "a", "three", "-o", "m"],
    ]) {
      const { code, stderr } = await runCli(args, at);
      expect([code, stderr]).toEqual([2, expect.stringMatching(/num_local_experts|experts\.3|experts/)]);
    }
  });
});

describe("isthmus experts --realign", () => {
  it("changes routers alone, and says how they agree with the parents'", async () => {
    await runCli(["merge", "a", "b", "-o", "average"], at);
    const texts = ["--data", "safetensors:texts.safetensors"];
    const args = [
      "experts",
      "average",
      ...texts,
      "--realign",
      "--from",
      "a",
      "b",
      "--no-align",
      "-o",
      "realigned",
    ];
    const told = await runCli([...args, "--json"], at);
    expect(told.stderr).not.toContain("Cannot");
    const { routers, routing } = JSON.parse(told.stdout);
    expect([routers.length, routing.length, routing[0].before.tokens]).toEqual([2, 2, 48]);
    const [before, after] = [
      await openCheckpoint(join(folder, "average/model.safetensors")),
      await openCheckpoint(join(folder, "realigned/model.safetensors")),
    ];
    const changed: string[] = [];
    for (const name of before.tensors.keys()) {
      const [one, two] = [await before.read(name), await after.read(name)];
      if (Buffer.compare(Buffer.from(one.data.buffer), Buffer.from(two.data.buffer)) !== 0)
        changed.push(name);
    }
    expect(changed).toEqual([0, 1].map((layer) => `model.layers.${layer}.block_sparse_moe.gate.weight`));
    await Promise.all([before.close(), after.close()]);
  });

  it("takes texts by name, and names what is missing", async () => {
    const told = async (...args: string[]) => (await runCli(["experts", "average", ...args], at)).stderr;
    const texts = "safetensors:texts.safetensors";
    const parents = ["--realign", "--from", "a", "b"];
    expect(await told("--data", texts, "--realign", "-o", "x")).toContain("--from must name");
    expect(await told("--data", `a=${texts}`, ...parents, "-o", "x")).toContain('"b" has none');
    expect(await told("--data", texts, texts, texts, ...parents, "-o", "x")).toContain("3 values of --data");
    expect(await told("--data", texts, ...parents)).toContain("add -o FOLDER");
    expect(await told("--data", texts, "--from", "a")).toContain("--from without --realign");
    expect(await told("--data", texts, ...parents, "--reduce", "2", "-o", "x")).toContain(
      "run the verb twice",
    );
    const named = ["--data", `b=${texts}`, "--data", `a=${texts}@4`];
    const { stdout } = await runCli(
      ["experts", "average", ...named, ...parents, "-o", "named", "--json"],
      at,
    );
    const { routing } = JSON.parse(stdout);
    expect(routing.map(({ before }: { before: { tokens: number } }) => before.tokens)).toEqual([24, 48]);
  });
});
