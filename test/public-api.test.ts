import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { packageNames } from "../tools/packages.mjs";

const packages = fileURLToPath(new URL("../packages", import.meta.url));

/** Every entry point of every package: its name and its source. */
const entries = packageNames.flatMap((name) => {
  const manifest = JSON.parse(readFileSync(join(packages, name, "package.json"), "utf8"));
  return Object.entries<Record<string, string>>(manifest.exports).map(([path, targets]) => ({
    name: join(manifest.name, path),
    source: join(packages, name, targets["@isthmus/source"] ?? ""),
  }));
});

/** Exported names, types included, as the index lists them. */
function exportedNames(source: string): string[] {
  const lists = [...readFileSync(source, "utf8").matchAll(/export (type )?\{([^}]*)\}/g)];
  return lists
    .flatMap(([, type = "", names = ""]) =>
      names
        .split(",")
        .map((name) => name.trim())
        .filter((name) => name !== "")
        .map((name) => (name.startsWith("type ") ? name : type + name)),
    )
    .sort();
}

describe("public API", () => {
  it.each(entries)("$name exports these names", async ({ source }) => {
    const names = exportedNames(source);
    const values = Object.keys(await import(source)).sort();
    expect(names.filter((name) => !name.startsWith("type "))).toEqual(values);
    expect(names).toMatchSnapshot();
  });
});
