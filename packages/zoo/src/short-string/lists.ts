import { MAX_LAYERS } from "./field.ts";

/**
 * Reads widths such as `512x3` (three layers of 512), `256-128`, or both forms joined: `512x2-10`.
 * @returns undefined if the text has another form, or lists more layers than {@link MAX_LAYERS}
 */
export function readRuns(text: string): number[] | undefined {
  const widths: number[] = [];
  for (const run of text.split("-")) {
    const [, width, count = "1"] = /^(\d+)(?:x(\d+))?$/.exec(run) ?? [];
    if (width === undefined || Number(count) < 1 || widths.length + Number(count) > MAX_LAYERS)
      return undefined;
    for (let i = 0; i < Number(count); i++) widths.push(Number(width));
  }
  return widths;
}

/** Writes the shortest text that {@link readRuns} reads as these widths. */
export function writeRuns(widths: readonly number[]): string {
  const runs: { readonly width: number; count: number }[] = [];
  for (const width of widths) {
    const last = runs.at(-1);
    if (last?.width === width) last.count += 1;
    else runs.push({ width, count: 1 });
  }
  return runs.map(({ width, count }) => (count === 1 ? `${width}` : `${width}x${count}`)).join("-");
}

/**
 * Number of convolutions before each pooling of the published
 * networks, by their number of layers with weights.
 */
const VGG_DEPTHS: ReadonlyMap<string, readonly number[]> = new Map([
  ["11", [1, 1, 2, 2, 2]],
  ["13", [2, 2, 2, 2, 2]],
  ["16", [2, 2, 3, 3, 3]],
  ["19", [2, 2, 4, 4, 4]],
]);

/**
 * Reads the number of convolutions of each stage, given as a published depth or listed: `11` is `1-1-2-2-2`.
 * @returns undefined if the text has another form
 */
export function readStages(text: string): number[] | undefined {
  const published = VGG_DEPTHS.get(text);
  if (published !== undefined) return [...published];
  return /^\d+(-\d+)+$/.test(text) ? text.split("-").map(Number) : undefined;
}

/**
 * Writes the text that {@link readStages} reads as these stages; a single stage has no text that can be read.
 */
export function writeStages(stages: readonly number[]): string {
  const listed = stages.join("-");
  for (const [depth, published] of VGG_DEPTHS) if (published.join("-") === listed) return depth;
  return listed;
}
