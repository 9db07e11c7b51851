// Makes the results and figures of docs/gallery again: runs the blocks of its page in their order, and keeps the results that the page
// links to, each with the figure that it shows. Pages of results are drawn from them when the site is built.
//
//   node tools/make-gallery.mjs            all of it, in some minutes
//   node tools/make-gallery.mjs map.json   the section of this result alone, if it needs no files of others
//
// The numbers are the same on each machine with one kind of processor.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { root } from "./packages.mjs";

const GALLERY = join(root, "docs", "gallery");
const text = readFileSync(join(GALLERY, "index.md"), "utf8");
const folder = mkdtempSync(join(tmpdir(), "isthmus-gallery-"));
const COMMAND = join(root, "packages", "cli", "bin", "isthmus.js");
const shell = `isthmus() { "${process.execPath}" "${COMMAND}" "$@"; }\n`;

try {
  for (const name of ["examples", "node_modules"]) symlinkSync(join(root, name), join(folder, name));
  for (const section of text.split(/^## /m).slice(1)) makeSection(section);
} finally {
  rmSync(folder, { recursive: true });
}

function makeSection(section) {
  const started = Date.now();
  const only = process.argv.slice(2);
  const [, block] = /^```sh\n([\s\S]*?)^```$/m.exec(section) ?? [];
  const [, result] = /\]\(([^)]+\.json)\)/.exec(section) ?? [];
  const pictures = [...section.matchAll(/!\[[^\]]*\]\(([^)]+\.svg)\)/g)].map(([, picture]) => picture);
  if (only.length > 0 && !only.includes(result)) return;
  if (block === undefined || result === undefined || pictures.length === 0)
    throw new Error(
      `Cannot make "${section.split("\n")[0]}" as it must have a block, a picture and a result`,
    );
  run(block);
  run(`isthmus report ${result} --svg figures-of-${basename(result, ".json")} --quiet`);
  const figures = join(folder, `figures-of-${basename(result, ".json")}`);
  keep(join(folder, result), result);
  for (const picture of pictures) keep(join(figures, figureOf(picture, figures)), picture);
  console.log(`${result}: ${Math.round((Date.now() - started) / 1000)} s`);
}

/** Name of the figure that a picture shows: `map.aligned.svg` is the figure "aligned". */
function figureOf(picture, figures) {
  const [, name] = /\.([^.]+)\.svg$/.exec(picture) ?? [];
  const names = readdirSync(figures).sort();
  const chosen = names.find((file) => file === `${name}.svg`);
  if (chosen === undefined)
    throw new Error(`Cannot show "${picture}" as its figure must be one of ${names.join(", ")}`);
  return chosen;
}

function run(lines) {
  execFileSync("bash", ["-ec", shell + lines], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
}

function keep(from, name) {
  const to = join(GALLERY, name);
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to);
}
