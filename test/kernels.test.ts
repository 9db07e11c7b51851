import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { packageNames, root } from "../tools/packages.mjs";

/** The part of WebAssembly that is used here; Node's own types do not declare it. */
declare const WebAssembly: {
  readonly Module: {
    new (code: Uint8Array): object;
    exports(module: object): readonly { readonly name: string }[];
  };
};

const folders = packageNames
  .map((name) => join("packages", name, "wasm"))
  .filter((folder) => existsSync(join(root, folder)));
const modules = folders.flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".mjs"))
    .map((name) => join(folder, name)),
);

describe("types of kernels", () => {
  it.each(modules)("name the exports of %s", async (path) => {
    const { readCode } = await import(pathToFileURL(join(root, path)).href);
    const exported = WebAssembly.Module.exports(new WebAssembly.Module(readCode())).map(({ name }) => name);
    const types = readFileSync(join(root, path.replace(/\.mjs$/, ".d.mts")), "utf8");
    const named = [...types.matchAll(/^ {2}readonly (\w+):/gm)].map(([, name]) => name);
    expect(named.toSorted()).toEqual(exported.toSorted());
  });
});
