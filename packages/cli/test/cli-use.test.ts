import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createDataSet } from "@isthmus/data";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runAlone, runCli } from "../../../test/helpers/run-cli.ts";
import { saveExamples } from "../../../test/helpers/save-examples.ts";
import { exampleFile, makeOwnFolder, waves, writeWaves } from "./own-folder.ts";

const GOLDEN = fileURLToPath(new URL("../../../test/golden/gradient-norm.json", import.meta.url));

/** What the example measures. */
interface GradientNorm {
  readonly kind: string;
  readonly total: number;
  readonly layers: readonly { readonly name: string; readonly weights: number; readonly norm: number }[];
}

const own = makeOwnFolder();
const { folder, at, write, run } = own;
const NETWORK = ["a.safetensors", "--graph", "graph.onnx", "--data", "safetensors:data.safetensors"];

beforeAll(async () => {
  for (const name of ["gradient-norm.ts", "gradient-norm.yaml"])
    copyFileSync(exampleFile(`gradient-norm/${name}`), at(name));
  await writeWaves(own, "a.safetensors", (x) => 0.5 * Math.sin(x));
  const labels = Int32Array.from({ length: 24 }, (_, i) => i % 4);
  await saveExamples(createDataSet(waves(Math.sin, [24, 6], 1000), labels), at("data.safetensors"));
});
afterAll(own.remove);

describe("isthmus --use", () => {
  it.each(["euclidean", "largest"])("measures the %s norm of a gradient as PyTorch does", async (norm) => {
    const golden: Record<string, number> = JSON.parse(readFileSync(GOLDEN, "utf8"))[norm];
    const words = ["--use", "./gradient-norm.ts", "gradient-norm", ...NETWORK, "--norm", norm];
    const { total, layers, kind } = await own.json<GradientNorm>(words);
    expect(kind).toBe("gradient-norm");
    const measured = Object.fromEntries([
      ...layers.map((layer) => [layer.name, layer.norm]),
      ["total", total],
    ]);
    expect(Object.keys(measured)).toEqual(Object.keys(golden));
    for (const [name, value] of Object.entries(golden)) expect(measured[name]).toBeCloseTo(value, 6);
  });

  it("brings a verb with help, a result and a page, in a group of the help of its own", async () => {
    const help = await runAlone(["--use=gradient-norm.ts", "--help"], { cwd: folder });
    expect(help.stdout).toMatch(/Your own measurements:\n +gradient-norm +Measure how steep the loss is/);
    const verb = await run(["gradient-norm", "--help", "--use", "gradient-norm.ts"]);
    expect(verb.stdout).toMatch(/--norm <choice> .*\n(.*\n)*.*default: euclidean/);
    const words = [
      "gradient-norm",
      ...NETWORK,
      "--tensors",
      "l0.weight,l2.bias",
      "--use",
      "./gradient-norm.ts",
    ];
    const measured = await run([...words, "-o", "norm.json", "--report", "norm.html"]);
    expect(measured.code).toBe(0);
    expect(measured.stdout).toMatch(
      /^Network: a\.safetensors; data: .*\n\nGradient norm of a\.safetensors: total 0\.\d+\.\n(.*\n)*Name +Weights +Norm\nl0\.weight +96 /,
    );
    expect(JSON.parse(readFileSync(at("norm.json"), "utf8"))).toMatchObject({
      options: { norm: "euclidean", tensors: ["l0.weight", "l2.bias"] },
      provenance: {
        command: expect.stringMatching(/^isthmus --use \.\/gradient-norm\.ts gradient-norm a\.saf/),
      },
    });
    expect(readFileSync(at("norm.html"), "utf8")).toContain("Gradient norm of a.safetensors");
  });

  it("draws results that it made, and without the file says that they need it", async () => {
    write(
      "made.json",
      JSON.stringify({ kind: "gradient-norm", network: "a.pt", total: 1, layers: [{ name: "x", norm: 1 }] }),
    );
    const without = await runCli(["report", "made.json"], { cwd: folder });
    expect([without.code, without.stderr]).toEqual([
      2,
      expect.stringMatching(/it is "gradient-norm".*name that by --use/),
    ]);
    const drawn = await run(["--use", "gradient-norm.ts", "report", "made.json", "-o", "made.html"]);
    expect([drawn.code, drawn.stderr]).toEqual([0, ""]);
    expect(readFileSync(at("made.html"), "utf8")).toContain("Gradient norm of a.pt");
    write("odd.json", JSON.stringify({ kind: "gradient-norm", network: { a: 1 } }));
    const odd = await run(["--use", "gradient-norm.ts", "report", "odd.json"]);
    expect([odd.code, odd.stderr]).toEqual([2, expect.stringMatching(/must be a whole result.*"network"/)]);
  });

  it("uses JavaScript, modules beside it, and several measurements of one file", async () => {
    write("count.mjs", `export const count = (names) => [...names].length;`);
    write(
      "own.mjs",
      `import { defineMeasurement } from "@isthmus/findings";
import { count } from "./count.mjs";
const shared = { summary: "Count tensors", subject: "network" };
export const one = defineMeasurement({ ...shared, verb: "one-count", kind: "one-count", run: async ({ network }) => ({ tensors: count(network.tensors) }) });
export const two = defineMeasurement({ ...shared, verb: "two-count", kind: "two-count", run: async () => ({ tensors: 2 }) });`,
    );
    const use = ["--use", "own.mjs", "--use", "gradient-norm.ts"];
    expect(await own.json(["one-count", ...use, ...NETWORK])).toMatchObject({
      tensors: 6,
    });
    const text = await run([...use, "two-count", ...NETWORK]);
    expect(text.stdout).toBe(
      "Network: a.safetensors; data: safetensors:data.safetensors, 24 examples\n\nTwo count of a.safetensors: tensors 2.\ntensors: 2\n",
    );
  });

  const DEFINE = `import { defineMeasurement } from "isthmus"; export const own = defineMeasurement`;
  const body = (verb: string, kind: string) =>
    `${DEFINE}({ verb: "${verb}", kind: "${kind}", summary: "x", subject: "network", run: async () => ({}) });`;
  it.each([
    [
      "none.mjs",
      undefined,
      /Cannot use "\/.*none\.mjs" as it must be a file that defines a measurement or a network maker: there is no such file/,
    ],
    ["empty.mjs", "", /must export what defineMeasurement or defineNetworkMaker returns: it exports nothing/],
    ["other.mjs", "export const a = 1;", /none of its exports is that: a$/m],
    [
      "throws.mjs",
      `throw new TypeError("boom");`,
      /throws\.mjs" as it must be a module that can be imported: boom/,
    ],
    [
      "broken.mjs",
      "export const = 1;",
      /broken\.mjs" as it must be a module that can be imported: Unexpected token/,
    ],
    [
      "enum.ts",
      "enum A { b }\nexport const a = A.b;",
      /must be a module that can be imported: .*enum is not supported/,
    ],
    ["missing.mjs", `import "isthmus-nonesuch";`, /Cannot find package 'isthmus-nonesuch'/],
    [
      "bad.mjs",
      `${DEFINE}({ verb: "Bad" });`,
      /bad\.mjs" .*Cannot define a measurement as "verb" must be lower-case words/,
    ],
    ["verb.mjs", body("merge", "own"), /as its verb must be new: there is "merge" already/],
    ["measuring.mjs", body("dropout", "own"), /as its verb must be new: there is "dropout" already/],
    ["kind.mjs", body("own", "study"), /as its kind must be new: there is "study" already/],
  ])("says what is wrong with %s", async (name, text, message) => {
    if (text !== undefined) write(name, text);
    const { code, stdout, stderr } = await run(["inspect", "a.safetensors", "--use", name]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/Unexpected failure/);
  });

  const without = body("plain-count", "plain-count");
  it.each([
    [
      ["gradient-norm", "lost.safetensors", ...NETWORK.slice(1)],
      /^isthmus gradient-norm: Cannot .*"lost\.safe/,
    ],
    [
      ["gradient-norm", ...NETWORK, "--nrom", "largest"],
      /^isthmus gradient-norm: Unknown option '--nrom' \(Did you mean --norm\?\); see isthmus gradient-norm --help$/m,
    ],
    [
      ["gradient-nrom", ...NETWORK],
      /^isthmus: Unknown command 'gradient-nrom' \(Did you mean gradient-norm\?\)/,
    ],
    [["inspect", "lost.safetensors"], /^isthmus inspect: Cannot/],
  ])("an error of %j names the verb, wherever the file is named", async (words, message) => {
    const use = ["--use", "./gradient-norm.ts"];
    const [before, after] = [await run([...use, ...words]), await run([...words, ...use])];
    expect([before.code, before.stderr]).toEqual([2, expect.stringMatching(message)]);
    expect(after).toEqual(before);
  });

  it("a verb without examples has no heading of examples in its help", async () => {
    write("plain.mjs", without);
    const { code, stdout } = await run(["--use", "plain.mjs", "plain-count", "--help"]);
    expect([code, stdout]).toEqual([0, expect.not.stringContaining("Examples:")]);
  });

  it("help calls two networks the first and the second, unless the measurement is on the line between", async () => {
    const define = (verb: string, more: string) =>
      `defineMeasurement({ verb: "${verb}", kind: "${verb}", summary: "x", subject: "pair", ${more}run: async () => ({}) })`;
    write(
      "two.mjs",
      `import { defineMeasurement } from "isthmus";
export const gap = ${define("pair-gap", "")};
export const line = ${define("pair-line", "isOnLine: true, ")};`,
    );
    const helpOf = async (verb: string) =>
      (await run([verb, "--help", "--use", "two.mjs"])).stdout.replace(/\s+/g, " ");
    const gap = await helpOf("pair-gap");
    expect(gap).toContain(
      "Arguments: a the first network: a checkpoint file, or a folder b the second network ",
    );
    expect(gap).not.toContain("at t = ");
    const line = await helpOf("pair-line");
    expect(line).toContain("a the checkpoint at t = 0: a file, or a folder b the checkpoint at t = 1 ");
  });

  it("refuses to be without a file", async () => {
    for (const words of [
      ["inspect", "--use"],
      ["--use", "--json", "inspect"],
      ["inspect", "--use="],
    ]) {
      const { code, stderr } = await runCli(words, { cwd: folder });
      expect([code, stderr]).toEqual([2, expect.stringMatching(/as --use must name a file/)]);
    }
  });

  it("says so if the file imports another version of Isthmus, which is installed beside it", async () => {
    mkdirSync(at("installed", "node_modules", "isthmus"), { recursive: true });
    const manifest = { name: "isthmus", version: "99.0.0", type: "module", exports: "./index.js" };
    write("installed/node_modules/isthmus/package.json", JSON.stringify(manifest));
    write(
      "installed/node_modules/isthmus/index.js",
      `export const defineMeasurement = (own) => ({ ...own, load: async () => own });`,
    );
    write("installed/own.mjs", body("own", "own"));
    const { code, stderr, stdout } = await runAlone(["--use", "installed/own.mjs", "--help"], {
      cwd: folder,
    });
    expect([code, stdout]).toEqual([0, expect.stringMatching(/Your own measurements:\n +own /)]);
    expect(stderr).toMatch(/own\.mjs" imports isthmus 99\.0\.0 of ".*installed.*", and this program has \d/);
  });
});
