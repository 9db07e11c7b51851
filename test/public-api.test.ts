import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { packageNames } from "../tools/packages.mjs";

const packages = fileURLToPath(new URL("../packages", import.meta.url));

/** Every entry point of every package: its name and its source. */
const entries = packageNames.flatMap((name) => {
  const manifest = JSON.parse(readFileSync(join(packages, name, "package.json"), "utf8"));
  return Object.entries<Record<string, string | { readonly default: string }>>(manifest.exports).map(
    ([path, { "@isthmus/source": target = "" }]) => ({
      name: join(manifest.name, path),
      // The side of an entry for browsers has the same names.
      source: join(packages, name, typeof target === "string" ? target : target.default),
    }),
  );
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
