// Reads layers.json: floors from the lowest up, packages on each, and which packages each may import.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./packages.mjs";

/** Floors from the lowest up: `[name, [[package, [imports]]]]`. */
export const floors = Object.entries(
  JSON.parse(readFileSync(join(root, "tools", "layers.json"), "utf8")),
).map(([floor, packages]) => [floor, Object.entries(packages)]);

/** Packages that each package may import, in the order of the file. */
export const layers = Object.fromEntries(floors.flatMap(([, packages]) => packages));
