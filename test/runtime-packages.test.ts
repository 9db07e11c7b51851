import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { NATIVE_SYSTEMS } from "../packages/engine/src/onnxruntime/systems.ts";
import { root } from "../tools/packages.mjs";
import { describeManifest, RUNTIME_PACKAGES, runtimeDependencies } from "../tools/runtime-packages/make.mjs";
import { publishedManifest } from "../tools/slim-package.mjs";

const require = createRequire(import.meta.url);
const { version } = require(join(root, "node_modules", "onnxruntime-node", "package.json"));

describe("packages that bring onnxruntime", () => {
  it("are those of the systems that the engine looks for, and one for all others", () => {
    const wanted = NATIVE_SYSTEMS.map((system) => `@isthmus/onnxruntime-${system}`);
    expect(RUNTIME_PACKAGES).toEqual([...wanted, "@isthmus/onnxruntime-wasm"]);
  });

  it.each(NATIVE_SYSTEMS)("are installed by npm on %s alone, in the version of onnxruntime", (system) => {
    const [platform = "", arch = ""] = system.split("-");
    const { os, cpu, libc, ...manifest } = describeManifest(`@isthmus/onnxruntime-${system}`);
    expect({ os, cpu, libc }).toEqual({
      os: [platform],
      cpu: [arch],
      libc: platform === "linux" ? ["glibc"] : undefined,
    });
    expect(manifest).toMatchObject({ version, license: "MIT", main: "index.js" });
    expect(manifest).not.toHaveProperty("scripts");
  });

  it("are asked for by the engine as it is published, and by no lockfile of this repository", () => {
    const manifest = JSON.parse(readFileSync(join(root, "packages", "engine", "package.json"), "utf8"));
    const published = publishedManifest(manifest);
    expect(published.optionalDependencies).toEqual(runtimeDependencies());
    expect(Object.keys(runtimeDependencies())).toEqual(RUNTIME_PACKAGES);
    for (const field of ["devDependencies", "scripts"]) expect(published).not.toHaveProperty(field);
    expect(JSON.stringify(published)).not.toContain("src/");
    expect(readFileSync(join(root, "package-lock.json"), "utf8")).not.toContain("@isthmus/onnxruntime-");
  });
});
