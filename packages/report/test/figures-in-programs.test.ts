import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { type DrawableResult, renderFigures, renderPdfFigures, type Theme } from "@isthmus/report";
import { decode } from "fast-png";
import { type BrowserContext, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BROWSER_FLAGS, CHROMIUM, hasBrowser } from "../../../test/helpers/browser.ts";
import { barrierCurve } from "./barrier-curve.ts";
import { layersResult, planeResult, starResult } from "./results.ts";

/** A program that makes a raster of a figure, and how far it may be from the browser's. */
interface Program {
  readonly command: string;
  readonly reads: "svg" | "pdf";
  readonly args: (input: string, output: string) => readonly string[];
  /** Mean difference of a channel, of 255, and share of pixels that are altogether different. */
  readonly mean: number;
  readonly far: number;
}

/** Letters are drawn a little differently by each, and in another font in a PDF. */
const PROGRAMS: readonly Program[] = [
  { command: "rsvg-convert", reads: "svg", args: (from, to) => [from, "-o", to], mean: 3, far: 0.01 },
  {
    command: "inkscape",
    reads: "svg",
    args: (from, to) => [from, "--export-type=png", "-o", to],
    mean: 3,
    far: 0.01,
  },
  { command: "cairosvg", reads: "svg", args: (from, to) => [from, "-o", to], mean: 3, far: 0.015 },
  {
    command: "pdftoppm",
    reads: "pdf",
    args: (from, to) => ["-r", "96", "-png", "-singlefile", from, to.replace(/\.png$/, "")],
    mean: 9,
    far: 0.06,
  },
];

const barriers: DrawableResult = {
  ...barrierCurve("", 0.3, true).result,
  asGiven: barrierCurve("", 1.387).result,
  alignment: {},
};
/** Figures with colours that must be there, by kind of drawing. */
const FIGURES: readonly {
  readonly of: DrawableResult;
  readonly name: string;
  readonly theme: Theme;
  readonly colors: readonly string[];
}[] = [
  { of: barriers, name: "loss", theme: "light", colors: ["#c85200", "#0067a5", "#ffffff"] },
  { of: barriers, name: "loss", theme: "dark", colors: ["#ff9350", "#64b9f4", "#171b1f"] },
  { of: layersResult(), name: "layers", theme: "light", colors: ["#c85200", "#0067a5", "#e4e7ea"] },
  { of: layersResult(), name: "along-a", theme: "dark", colors: ["#440154", "#fde725", "#171b1f"] },
  { of: planeResult(), name: "plane-loss", theme: "light", colors: ["#440154", "#fde725", "#ffffff"] },
  { of: starResult(), name: "barriers", theme: "dark", colors: ["#171b1f", "#e8eaed"] },
];
/** Pixels of a colour from which it counts as seen, and how near a channel must be to it. */
const SEEN = { pixels: 20, distance: 24 } as const;

function isInstalled({ command }: Program): boolean {
  try {
    execFileSync("which", [command], { stdio: "ignore" });
    return true;
  } catch {
    console.warn(`SKIPPED: no figure was drawn by ${command}, as it is not installed`);
    return false;
  }
}

/** Red, green and blue of every pixel, without opacity. */
function readPixels(path: string): {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
} {
  const { width, height, channels, data } = decode(readFileSync(path));
  const rgb = Uint8Array.from({ length: 3 * width * height }, (_, index) => {
    const pixel = Math.floor(index / 3);
    return Number(data[pixel * channels + (channels < 3 ? 0 : index % 3)]);
  });
  return { width, height, rgb };
}

function countPixels(rgb: Uint8Array, color: string): number {
  const wanted = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
  let count = 0;
  for (let at = 0; at < rgb.length; at += 3) {
    if (wanted.every((channel, k) => Math.abs((rgb[at + k] ?? 0) - channel) <= SEEN.distance)) count++;
  }
  return count;
}

describe.skipIf(!hasBrowser)("figures in other programs", () => {
  let folder: string;
  let context: BrowserContext;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "isthmus-figures-"));
    context = await chromium.launchPersistentContext(join(folder, "profile"), {
      executablePath: CHROMIUM,
      args: [...BROWSER_FLAGS],
    });
    for (const figure of FIGURES) await prepare(figure);
  });
  afterAll(async () => {
    await context?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const fileOf = ({ of, name, theme }: (typeof FIGURES)[number], ending: string) =>
    join(folder, `${of.kind}-${name}-${theme}.${ending}`);

  /** Writes a figure as SVG and as PDF, and takes a picture of the SVG in the browser. */
  async function prepare(figure: (typeof FIGURES)[number]): Promise<void> {
    const { of, name, theme } = figure;
    const svg = (await renderFigures(of, { theme })).find((one) => one.name === name)?.svg ?? "";
    const pdf = (await renderPdfFigures(of, { theme })).find((one) => one.name === name)?.pdf;
    writeFileSync(fileOf(figure, "svg"), svg);
    writeFileSync(fileOf(figure, "pdf"), pdf ?? "");
    const [, width, height] = /^<svg (?=[^>]* width="(\d+)")(?=[^>]* height="(\d+)")/.exec(svg) ?? [];
    const page = await context.newPage();
    await page.setViewportSize({ width: Number(width), height: Number(height) });
    await page.goto(pathToFileURL(fileOf(figure, "svg")).href);
    await page.screenshot({ path: fileOf(figure, "browser.png") });
    await page.close();
  }

  it.each(FIGURES)("the browser shows the colours of $name, $theme", (figure) => {
    const { rgb } = readPixels(fileOf(figure, "browser.png"));
    for (const color of figure.colors) expect(countPixels(rgb, color), color).toBeGreaterThan(SEEN.pixels);
  });

  for (const program of PROGRAMS) {
    it.skipIf(!isInstalled(program)).each(FIGURES)(
      `${program.command} shows $name, $theme, as the browser does`,
      async (figure) => {
        const output = fileOf(figure, `${program.command}.png`);
        await promisify(execFile)(program.command, program.args(fileOf(figure, program.reads), output));
        const [seen, shown] = [readPixels(output), readPixels(fileOf(figure, "browser.png"))];
        expect([seen.width, seen.height]).toEqual([shown.width, shown.height]);
        for (const color of figure.colors)
          expect(countPixels(seen.rgb, color), color).toBeGreaterThan(SEEN.pixels);
        let [sum, far] = [0, 0];
        seen.rgb.forEach((channel, index) => {
          const difference = Math.abs(channel - (shown.rgb[index] ?? 0));
          sum += difference;
          if (difference > 96) far++;
        });
        expect(sum / seen.rgb.length).toBeLessThan(program.mean);
        expect(far / seen.rgb.length).toBeLessThan(program.far);
      },
    );
  }
});
