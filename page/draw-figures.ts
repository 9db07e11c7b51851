// Draws the static pictures of the figures, which readers without JavaScript see, into docs/figures.
//
//   npx tsx --conditions=@isthmus/source page/draw-figures.ts
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { transformSync } from "esbuild";
import { drawPermutation } from "./src/figures/permutation.ts";
import { drawRepair } from "./src/figures/repair.ts";
import { drawRotation } from "./src/figures/rotation.ts";
import { drawSlice } from "./src/figures/slice.ts";
import { drawStar } from "./src/figures/star.ts";
import { drawTwoBasins } from "./src/figures/two-basins.ts";

/** Draws the pictures, by the names of their elements without the prefix. */
export function drawPictures(): ReadonlyMap<string, string> {
  const style = styleOf(readFileSync(new URL("./src/figures/figures.css", import.meta.url), "utf8"));
  const pictures: Readonly<Record<string, string>> = {
    "two-basins": drawTwoBasins({ place: 12, share: 1 }),
    permutation: drawPermutation(),
    repair: drawRepair(1),
    star: drawStar(0),
    rotation: drawRotation(60),
    slice: drawSlice(0),
  };
  return new Map(
    Object.entries(pictures).map(([name, picture]) => {
      const opening = picture.slice(0, picture.indexOf(">") + 1);
      return [name, `${opening}<style>${style}</style>${picture.slice(opening.length)}\n`];
    }),
  );
}

/** Returns the rules for pictures; a picture that stands alone is dark if the reader prefers that. */
function styleOf(css: string): string {
  const rules = [...css.matchAll(/([^{}]+)\{([^{}]*)\}/g)].map(([, selector = "", body = ""]) => ({
    selector: selector.trim(),
    body,
  }));
  const dark = rules.find(({ selector }) => selector.startsWith(".dark"))?.body ?? "";
  const shown = rules
    .filter(({ selector }) => selector.includes(".isthmus-picture") && !selector.startsWith(".dark"))
    .map(({ selector, body }) => `${selector}{${body}}`);
  const whole = `${shown.join("")}@media (prefers-color-scheme:dark){.isthmus-picture{${dark}}}`;
  return transformSync(whole, { loader: "css", minify: true }).code.trim();
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const folder = new URL("../docs/figures/", import.meta.url);
  mkdirSync(folder, { recursive: true });
  for (const [name, picture] of drawPictures()) writeFileSync(new URL(`${name}.svg`, folder), picture);
}
