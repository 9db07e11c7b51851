import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { inFreshFolders } from "../../../../test/helpers/fresh-folder.ts";
import { joinPieces, splitAdaptedName, splitAdapters } from "./adapted-name.ts";

let folder: string;
inFreshFolders(async (path) => {
  folder = path;
  for (const name of ["m", "m+x", "lora", "lora+plus", "c++"]) await mkdir(join(path, name));
});

/** Pieces of a name between its plus signs, some of them empty. */
const pieces = fc.array(fc.constantFrom("", "a", "b", "c"), { minLength: 1, maxLength: 7 });

test("no piece of a name is ever left out, whatever files there are", () => {
  const known = fc.uniqueArray(pieces.map((some) => some.join("+")));
  fc.assert(
    fc.property(pieces, known, (some, names) => {
      const parts = joinPieces(some, (name) => names.includes(name));
      expect(parts.join("+")).toBe(some.join("+"));
      if (some.join("+") !== "") expect(parts).not.toContain("");
      if (names.includes(some.join("+")) && some.join("+") !== "") expect(parts).toHaveLength(1);
    }),
  );
});

test("a name of files that are there is split into names of files that are there", () => {
  const names = pieces.map((some) => some.join("+")).filter((name) => name !== "");
  fc.assert(
    fc.property(fc.array(names, { minLength: 1, maxLength: 4 }), (files) => {
      const whole = files.join("+");
      const parts = joinPieces(whole.split("+"), (name) => files.includes(name));
      expect(parts.every((part) => files.includes(part))).toBe(true);
    }),
  );
});

test.each([
  ["m", "m", []],
  ["m+lora", "m", ["lora"]],
  ["m+lora+lora", "m", ["lora", "lora"]],
  ["m+lora+plus", "m", ["lora+plus"]],
  ["m+lora+plus+lora", "m", ["lora+plus", "lora"]],
  ["m+lora+plos", "m", ["lora", "plos"]],
  ["m+lora+nothing+lora", "m", ["lora", "nothing", "lora"]],
  ["m+unet:lora+plus+unet:lora", "m", ["unet:lora+plus", "unet:lora"]],
  ["m+x", "m+x", []],
  ["m+x+lora", "m+x", ["lora"]],
  ["c+++lora", "c++", ["lora"]],
  ["none+lora", "none", ["lora"]],
  ["hub:o/m@v1+lora", "hub:o/m@v1", ["lora"]],
  ["hub:o/m+hub:o/l+hub:o/k", "hub:o/m", ["hub:o/l", "hub:o/k"]],
  ["none+", "none+", []],
])("%s is the model %s with the adapters %j", async (name, model, adapters) => {
  const names = new Set(["m", "m+x", "lora", "lora+plus", "c++"]);
  const place = (part: string): string => {
    const path = part.replace("unet:", "");
    return names.has(path) ? part.replace(path, join(folder, path)) : part;
  };
  const whole = [model, ...adapters].map(place).join("+");
  expect(await splitAdapters(whole)).toEqual({ model: place(model), adapters: adapters.map(place) });
  const last = adapters.at(-1);
  expect(await splitAdaptedName(whole)).toEqual(
    last === undefined
      ? undefined
      : { model: [model, ...adapters.slice(0, -1)].map(place).join("+"), adapter: place(last) },
  );
  expect([model, ...adapters].join("+")).toBe(name);
});

test("very many plus signs are not looked up one by one, and none is left out", async () => {
  const name = "x+".repeat(1e5);
  const { model, adapters } = await splitAdapters(name);
  expect([model, ...adapters].join("+")).toBe(name);
  expect(adapters.length).toBeLessThan(20);
});
