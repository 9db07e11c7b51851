import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const PROGRAM = fileURLToPath(new URL("../bin/isthmus.js", import.meta.url));

/** Appends the address of every module that is loaded to the file that LOADED names. */
const LOADER = `
import { appendFileSync } from "node:fs";
export function load(url, context, next) {
  appendFileSync(process.env.LOADED, url + "\\n");
  return next(url, context);
}`;
const dataUrl = (source: string): string => `data:text/javascript,${encodeURIComponent(source)}`;
const HOOK = dataUrl(`
import { register } from "node:module";
register(${JSON.stringify(dataUrl(LOADER))});`);

/** Returns the addresses of the modules that a command loads. */
function modulesOf(...words: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-loads-"));
  const list = join(folder, "loaded.txt");
  try {
    const env = { ...process.env, LOADED: list };
    execFileSync(process.execPath, ["--import", HOOK, PROGRAM, ...words], { env, stdio: "pipe" });
    return readFileSync(list, "utf8");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

it("isthmus barrier loads neither the packages of other kinds of results nor schemas", () => {
  const loaded = modulesOf("barrier", "--help");
  expect(loaded).toContain("packages/barrier/dist");
  for (const name of [
    "curvature",
    "curve",
    "ensemble",
    "federated",
    "recipe",
    "simulation",
    "star-domain",
    "study",
  ])
    expect(loaded).not.toContain(`packages/${name}/`);
  for (const name of ["landscape", "mechanisms", "paths", "similarity", "sparsity", "subspace", "forms"])
    expect(loaded).not.toContain(`packages/${name}/`);
  expect(loaded).not.toContain("node_modules/zod");
});
