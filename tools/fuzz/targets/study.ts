import { readdirSync } from "node:fs";
import { join } from "node:path";
import { planStudy, readStudy } from "@isthmus/study";
import { fewImages } from "../../../packages/study/test/few-images.ts";
import { SMALL_STUDY } from "../../../packages/study/test/small-study.ts";
import { fixture, pathOf } from "../fixtures.ts";
import { mutateBytes } from "../mutate/mutate-bytes.ts";
import { mutateJson } from "../mutate/mutate-json.ts";
import { mutateLines } from "../mutate/mutate-lines.ts";
import type { FuzzTarget } from "../target.ts";

const FILE = "x.yaml";
/** Folder of the studies that come with the program. */
const STUDIES = "packages/cli/studies";
const nest = (open: string, close: string, levels = 20_000): string =>
  `title: ${open.repeat(levels)}${close.repeat(levels)}`;

/** Makes descriptions of studies of other values, indentation and structure, and plans them. */
export function createStudyTarget(): FuzzTarget {
  const shipped = readdirSync(pathOf(STUDIES))
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => fixture(`${STUDIES}/${name}`).toString());
  const small = JSON.stringify(SMALL_STUDY);
  const ports = { engine: "none", openData: async (name: string) => fewImages(name) };
  return {
    name: "study",
    valid: () => [{ [FILE]: small }],
    *bombs() {
      yield { [FILE]: nest("[", "]") };
      yield { [FILE]: nest("{a: ", "}") };
      yield { [FILE]: nest("- ", "", 5000) };
      yield { [FILE]: nest("? ", "", 5000) };
      yield {
        [FILE]: `a0: &a0 [x, x]\n${Array.from({ length: 40 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`).join("\n")}`,
      };
      // Each alias of the one before only, so that nothing but depth grows.
      yield {
        [FILE]: `a0: &a0 [x]\n${Array.from({ length: 5000 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}]`).join("\n")}\ntitle: *a5000`,
      };
      yield { [FILE]: "title: &a [*a]" };
      yield { [FILE]: `title: x\n${"k".repeat(1_000_000)}` };
      for (const range of ["0..3000", "0..99999", "0..9999999999"])
        yield { [FILE]: small.replace("0..2", range) };
    },
    make(dice) {
      if (dice.chance(0.3)) return { [FILE]: JSON.stringify(mutateJson(dice, SMALL_STUDY)) };
      const text = dice.chance(0.4) ? small : dice.pick(shipped);
      return { [FILE]: dice.chance(0.5) ? mutateBytes(dice, Buffer.from(text)) : mutateLines(dice, text) };
    },
    async read(folder) {
      await planStudy(await readStudy(join(folder, FILE)), ports);
    },
  };
}
