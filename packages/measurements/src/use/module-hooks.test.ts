import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { load, RUNS_TYPESCRIPT, resolve } from "./module-hooks.ts";

let folder: string;
const urlOf = (...path: string[]) => pathToFileURL(join(folder, ...path)).href;
const { version } = JSON.parse(
  readFileSync(fileURLToPath(new URL("../../../core/package.json", import.meta.url)), "utf8"),
);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-hooks-"));
  for (const [place, there] of [
    ["same", version],
    ["other", "99.0.0"],
  ]) {
    const at = join(folder, place, "node_modules", "@isthmus", "core");
    mkdirSync(at, { recursive: true });
    writeFileSync(join(at, "package.json"), JSON.stringify({ name: "@isthmus/core", version: there }));
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Returns whether an import is looked up from the packages of this program. */
function isRedirected(specifier: string, parentURL: string | undefined): boolean {
  const context = resolve(specifier, { parentURL }, (_, changed) => changed);
  return context.parentURL !== parentURL;
}

describe("resolve()", () => {
  it.each([
    ["isthmus", "nowhere"],
    ["@isthmus/core", "nowhere"],
    ["@isthmus/findings/forms", "nowhere"],
    ["@isthmus/core", "same"],
  ])(
    "looks %s up among the packages that run, if it is not installed beside the module, or the same",
    (name, at) => {
      expect(isRedirected(name, urlOf(at, "mine.ts"))).toBe(true);
    },
  );

  it("leaves another version, other packages and installed packages alone", () => {
    expect(isRedirected("@isthmus/core", urlOf("other", "mine.ts"))).toBe(false);
    expect(isRedirected("@isthmus/nonesuch", urlOf("mine.ts"))).toBe(false);
    expect(isRedirected("isthmus-beside", urlOf("mine.ts"))).toBe(false);
    expect(isRedirected("./isthmus", urlOf("mine.ts"))).toBe(false);
    expect(isRedirected("@isthmus/core", urlOf("node_modules", "theirs", "index.js"))).toBe(false);
    expect(isRedirected("@isthmus/core", "data:text/javascript,1")).toBe(false);
    expect(isRedirected("isthmus", undefined)).toBe(false);
  });
});

describe("load()", () => {
  it("leaves all but TypeScript to Node.js", async () => {
    const leave = (url: string) => ({ format: "left", source: url });
    for (const url of ["file:///x/a.mjs", "node:fs", "data:text/javascript,a.ts"])
      expect(await load(url, {}, leave)).toEqual({ format: "left", source: url });
  });

  const loadText = (text: string) =>
    load("file:///x/a.ts", {}, () => ({ format: "module", source: new TextEncoder().encode(text) }));

  it.skipIf(RUNS_TYPESCRIPT)("takes types out of TypeScript, with all else where it was", async () => {
    const { format, source } = await loadText("interface A { b: number }\nexport const a: number = 1;\n");
    expect(format).toBe("module");
    expect(source).toMatch(/^\s*\nexport const a {9}= 1;\n$/);
  });

  it.skipIf(RUNS_TYPESCRIPT)(
    "says what is wrong with TypeScript that has more than types, and where",
    async () => {
      await expect(loadText("\nenum B { c }\n")).rejects.toThrow(/enum is not supported.*, in line 2$/);
    },
  );
});
