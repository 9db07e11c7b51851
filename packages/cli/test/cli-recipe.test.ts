import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openCheckpoint, saveCheckpoint } from "@isthmus/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NARROW_MLP } from "../../../test/helpers/narrow-mlp.ts";
import { runCli, runJson } from "../../../test/helpers/run-cli.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const [a, b, graph] = ["s0.safetensors", "s1.safetensors", "graph.onnx"].map((name) =>
  join(NARROW_MLP, name),
) as [...[string, string, string]];
const llamas = join(root, "packages", "recipe", "test", "golden", "recipes");

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-cli-recipe-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const merge = (recipe: string, ...args: string[]) => runCli(["merge", recipe, ...args], { cwd: folder });

async function tensorOf(path: string, name: string) {
  const checkpoint = await openCheckpoint(path);
  const tensor = await checkpoint.read(name);
  await checkpoint.close();
  return tensor;
}

describe("isthmus merge of LoRA adapters", () => {
  const golden = join(root, "packages", "merging", "test", "golden", "adapters");
  const [plain, small] = [join(golden, "plain"), join(golden, "small")];

  it("writes an adapter, as the recipe does, which can be verified", async () => {
    const args = [plain, small, "--combination", "cat", "--weights", ".7,.3"];
    const quick = await runCli(["merge", ...args, "-o", "quick"], { cwd: folder });
    expect([quick.code, quick.stdout]).toEqual([0, expect.stringMatching(/^method +cat$/m)]);
    expect(readdirSync(join(folder, "quick"))).toEqual(["adapter_config.json", "adapter_model.safetensors"]);
    expect(await runCli(["verify", "quick"], { cwd: folder })).toMatchObject({ code: 0 });
    const models = `[{ model: ${plain}, parameters: { weight: 0.7 } }, { model: ${small}, parameters: { weight: 0.3 } }]`;
    await merge(write("r.yml", `merge_method: cat\nmodels: ${models}\n`), "-o", "recipe");
    const bytes = ["quick", "recipe"].map((name) =>
      readFileSync(join(folder, name, "adapter_model.safetensors")),
    );
    expect(bytes[0]?.equals(bytes[1] as Buffer)).toBe(true);
  });

  it("says how an adapter is merged into a network, and refuses a part of a name that is not found", async () => {
    const network = join(golden, "base.safetensors");
    const mixed = await runCli(["merge", plain, network, small, "-o", "x"], { cwd: folder });
    expect(mixed.code).toBe(2);
    expect(mixed.stderr).toContain(`as isthmus merge ${network}+${plain}+${small}\n`);
    const wrong = ["merge", `${network}+${plain}+nothing`, "-o", "x", "--dry-run"];
    const refused = await runCli(wrong, { cwd: folder });
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('an adapter "nothing" changes');
  });

  it("merges files of kohya as products into one file, and finds no networks in them", async () => {
    const fileOf = (name: string) => join(golden, "files", `kohya-${name}.safetensors`);
    const [first, second] = [fileOf("a"), fileOf("b")];
    const merged = await runCli(["merge", first, second, "-o", "kohya.safetensors"], { cwd: folder });
    expect([merged.code, merged.stdout]).toEqual([0, expect.stringMatching(/^method +cat$/m)]);
    const { data } = await tensorOf(join(folder, "kohya.safetensors"), "lora_unet_mid_block_conv.alpha");
    expect([...data]).toEqual([7]);
    const compared = await runCli(["compare", first, first], { cwd: folder });
    expect([compared.code, compared.stdout]).toEqual([0, expect.stringContaining("mean of factors")]);
    copyFileSync(first, join(folder, "again.safetensors"));
    const update = ["federate", "aggregate", first, first, "again.safetensors", "-o", "x.safetensors"];
    const aggregated = await runCli(update, { cwd: folder });
    expect([aggregated.code, aggregated.stderr]).toEqual([0, expect.any(String)]);
  });

  it("refuses options of networks, and adapters among networks", async () => {
    const aligned = await runCli(["merge", plain, small, "--align", "-o", "x"], { cwd: folder });
    expect([aligned.code, aligned.stderr]).toEqual([
      2,
      expect.stringContaining("--align as it is for networks"),
    ]);
    const networks = await runCli(["merge", a, b, "--combination", "svd", "-o", "x"], { cwd: folder });
    expect([networks.code, networks.stderr]).toEqual([2, expect.stringContaining("for LoRA adapters")]);
    const unequal = await runCli(["merge", plain, small, "--weights", "1", "-o", "x"], { cwd: folder });
    expect([unequal.code, unequal.stderr]).toEqual([
      2,
      expect.stringContaining("one number for each: got 1"),
    ]);
    const mixed = await runCli(["merge", plain, a, "-o", "x"], { cwd: folder });
    expect([mixed.code, mixed.stderr]).toEqual([2, expect.stringContaining(`isthmus merge ${a}+${plain}\n`)]);
    mkdirSync(join(folder, "broken"));
    copyFileSync(
      join(plain, "adapter_model.safetensors"),
      join(folder, "broken", "adapter_model.safetensors"),
    );
    const broken = await runCli(["merge", "broken", small, "-o", "x"], { cwd: folder });
    expect([broken.code, broken.stderr]).toEqual([
      2,
      expect.stringContaining('"broken" as its folder must have adapter_config.json'),
    ]);
  });

  it("prints the weights of the adapters, and how they are added", async () => {
    const { stdout } = await runCli(["merge", plain, small, "-o", "mean"], { cwd: folder });
    expect(stdout).toMatch(/^weights +0\.5, 0\.5: the mean; --weights 1,1 is the sum$/m);
  });
});

describe("isthmus merge RECIPE.yml", () => {
  it("merges model folders as the quick form does, and copies their config", async () => {
    const models = `models: [{ model: ${llamas}/a }, { model: ${llamas}/b }]`;
    const recipe = write("r.yml", `merge_method: linear\n${models}\nout_dtype: bfloat16\n`);
    const { code, stderr } = await merge(recipe, "-o", "out");
    expect([code, stderr]).toEqual([0, expect.stringMatching(/ to read, .* to write, at most .* of memory/)]);
    await runJson(["merge", `${llamas}/a`, `${llamas}/b`, "--dtype", "bf16", "-o", "quick"], { cwd: folder });
    // Other weights in the folder of a recipe's: its card and its recipe go.
    await runJson(["merge", `${llamas}/b`, `${llamas}/a`, "-o", "twice"], { cwd: folder });
    await merge(recipe, "-o", "twice");
    await runJson(["merge", `${llamas}/b`, `${llamas}/a`, "-o", "twice"], { cwd: folder });
    expect(readdirSync(join(folder, "twice")).sort()).toEqual(["config.json", "model.safetensors"]);
    for (const name of ["lm_head.weight", "model.layers.3.mlp.up_proj.weight"])
      expect(await tensorOf(join(folder, "out"), name)).toEqual(await tensorOf(join(folder, "quick"), name));
    expect(readdirSync(join(folder, "out")).sort()).toEqual([
      "README.md",
      "config.json",
      "model.safetensors",
      "recipe.yml",
    ]);
    expect(readFileSync(join(folder, "out", "config.json"), "utf8")).toContain('"dtype": "bfloat16"');
  });

  it("warns of what has no effect in a recipe, and refuses it with --strict", async () => {
    const models = `models: [{ model: ${llamas}/a }, { model: ${llamas}/b }]`;
    const recipe = write("r.yml", `name: x\nmerge_method: linear\n${models}\nparameters: { density: 1 }\n`);
    const { code, stderr } = await merge(recipe, "-o", "out.safetensors");
    expect([code, stderr.split("\n").filter((line) => line.startsWith("warning: "))]).toEqual([
      0,
      [
        'warning: r.yml:1: "name" has no effect as there is no other document in the file that could name it',
        expect.stringMatching(
          /^warning: r\.yml:4: "parameters\.density" has no effect as it is no parameter of linear/,
        ),
      ],
    ]);
    const planned = await runJson(["merge", recipe, "--dry-run"], { cwd: folder });
    expect(planned).toMatchObject({
      warnings: [expect.stringContaining("name"), expect.stringContaining("density")],
    });
    expect(await merge(recipe, "--strict", "--dry-run")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('r.yml:1: "name" has no effect'),
    });
  });

  it("makes the last of several documents, or the one that --document names", async () => {
    const document = (name: string, ...models: readonly string[]) =>
      `name: ${name}\nmerge_method: linear\nmodels: [${models.map((model) => `{ model: ${model} }`)}]\n`;
    const text = `${document("first", `${llamas}/a`, `${llamas}/b`)}---\n${document("second", "first", `${llamas}/c`)}`;
    const recipe = write("r.yml", text);
    expect((await merge(recipe, "-o", "second.safetensors")).code).toBe(0);
    expect((await merge(recipe, "--document", "first", "-o", "first.safetensors")).code).toBe(0);
    const last = write("last.yml", document("second", join(folder, "first.safetensors"), `${llamas}/c`));
    expect((await merge(last, "-o", "two-steps.safetensors")).code).toBe(0);
    const [one, two] = await Promise.all(
      ["second.safetensors", "two-steps.safetensors"].map((name) =>
        tensorOf(join(folder, name), "lm_head.weight"),
      ),
    );
    expect(one).toEqual(two);
  });

  it("ends on expressions that backtracking does not end on", async () => {
    const models = `models: [{ model: ${llamas}/a }, { model: ${llamas}/b }]`;
    const weight = "weight: [{ filter: '/^(([a-z_0-9])+.?)+[A-Z]$/', value: 0.5 }, { value: 1 }]";
    const recipe = write("r.yml", `merge_method: linear\n${models}\nparameters: { ${weight} }\n`);
    const { code, stderr } = await merge(recipe, "--explain", "/(.*)*layers.0.*(.*)*norm/");
    expect([code, stderr]).toEqual([0, expect.stringContaining("matches none of 57 tensors")]);
  });

  it("says what it would do with --dry-run and --explain, and writes nothing", async () => {
    const recipe = join(llamas, "02-slerp-gradients.yml");
    const plan = await runCli(["merge", recipe, "--dry-run"], { cwd: llamas });
    expect(plan).toMatchObject({ code: 0, stderr: "" });
    expect(plan.stdout).toMatch(/^lm_head\.weight +1 +f32 +\[16, 8\] +slerp, t 0\.5$/m);
    expect(plan.stdout).toMatch(
      /^model\.layers\.0-5\.mlp\.up_proj\.weight +6 +f32 +\[12, 8\] +slerp, t 0 to 1$/m,
    );
    expect(plan.stdout).toMatch(/^merged +57 tensors$/m);
    expect(plan.stdout).toMatch(/^bytes +25\.9 kB of networks, 13\.0 kB of the result$/m);
    const explained = await runCli(["merge", recipe, "--explain", "layers.2.mlp.up_proj"], { cwd: llamas });
    expect(explained.stdout.trim().split("\n")).toEqual([
      "model.layers.2.mlp.up_proj.weight f32 [12, 8]",
      "  of   a: model.layers.2.mlp.up_proj.weight",
      "  and  b: model.layers.2.mlp.up_proj.weight",
      expect.stringMatching(/^ {2}with t 0\.62/),
      '  as   slerp, t 0.62 (02-slerp-gradients.yml:14: parameters.t[1], filter "mlp", 40 % along the layers)',
    ]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it("aligns inputs as --align does", async () => {
    const inputs = `models: [{ model: ${a} }, { model: ${b}, align: { graph: ${graph}, restarts: 1 } }]`;
    const recipe = write("r.yml", `merge_method: linear\n${inputs}\n`);
    expect((await merge(recipe, "-o", "out.safetensors")).code).toBe(0);
    const quick = ["merge", a, b, "--align", "--graph", graph, "--restarts", "1", "-o", "quick.safetensors"];
    await runJson(quick, { cwd: folder });
    for (const name of ["layers.0.weight", "layers.3.bias"]) {
      const [ours, theirs] = [join(folder, "out.safetensors"), join(folder, "quick.safetensors")];
      expect(await tensorOf(ours, name)).toEqual(await tensorOf(theirs, name));
    }
  });

  it("merges only what has no barrier with --require-barrier", async () => {
    const models = (align: string) =>
      `merge_method: linear\nmodels: [{ model: ${a} }, { model: ${b}${align} }]\n`;
    const args = [
      "-o",
      "out.safetensors",
      "--graph",
      graph,
      "--data",
      "mnist:test@200",
      "--require-barrier",
      "0.2",
    ];
    const high = await merge(write("high.yml", models("")), ...args);
    expect(high).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("nothing was merged: the loss barrier"),
    });
    expect(readdirSync(folder)).toEqual(["high.yml"]);
    const low = await merge(write("low.yml", models(`, align: { graph: ${graph}, restarts: 1 }`)), ...args);
    expect(low.code).toBe(0);
  });

  it("merges by a method of a file, and takes recipes as inputs", async () => {
    const methods = write(
      "first.mjs",
      `export const first = {
        name: "first", description: "Takes the first.", source: "this test, 2026", parameters: {},
        networks: { least: 1, base: "none" },
        blendInto({ parts: [part] }, out) { out.data.set(part.data); },
      };`,
    );
    const inner = write("inner.yml", `merge_method: first\nmodels: [{ model: ${a} }, { model: ${b} }]\n`);
    const recipe = write("r.yml", `merge_method: linear\nmodels: [{ model: ${inner} }]\n`);
    expect((await merge(recipe, "--methods", methods, "-o", "out.safetensors")).code).toBe(0);
    const name = "layers.0.weight";
    expect(await tensorOf(join(folder, "out.safetensors"), name)).toEqual(await tensorOf(a, name));
    const { code, stderr } = await merge(recipe, "-o", "out.safetensors");
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/inner\.yml:1: "merge_method" is "first"; the methods are/),
    ]);
    const empty = write("empty.mjs", "export const nothing = 1;");
    expect((await merge(recipe, "--methods", empty, "-o", "x")).stderr).toContain("it exports none");
  });

  it("writes shards where the first network has several, and none where it has one", async () => {
    const checkpoint = await openCheckpoint(join(llamas, "a"));
    await saveCheckpoint(checkpoint, join(folder, "sharded"), { maxShardBytes: 4000 });
    await checkpoint.close();
    const recipe = write("r.yml", "merge_method: linear\nmodels: [{ model: sharded }]\n");
    await merge(recipe, "-o", "out");
    expect(readdirSync(join(folder, "out"))).toContain("model.safetensors.index.json");
  });

  it.each([
    [["r.yml"], "merge_method: linear\nmodels: [{ model: a }]\n", "-o must name the result"],
    [["r.yml", "-o", "x", "--weights", ".5,.5"], "", "with --weights as the recipe says it"],
    [["r.yml", "-o", "x"], "merge_method: linear\nmodels: [{ model: nowhere }]\n", 'r.yml:2: "models[0]"'],
    [["r.yml", "-o", "x"], "merge_method: [\n", "it must be YAML: r.yml:"],
    [[a, b, "--dry-run"], "", "with --dry-run as it is for recipes"],
  ])("refuses %j", async (args, text, message) => {
    write("r.yml", text);
    const { code, stderr, stdout } = await runCli(["merge", ...args], { cwd: folder });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(message);
  });
});
