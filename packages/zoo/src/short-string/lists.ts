import { MAX_LAYERS } from "./field.ts";

/**
 * Widths as `512x3` (three of 512) and `256-128`, joined freely: `512x2-10`.
 * @returns undefined if the text has another form, or names more layers than any network has
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

/** The shortest text that {@link readRuns} reads as these widths. */
export function writeRuns(widths: readonly number[]): string {
  const runs: { readonly width: number; count: number }[] = [];
  for (const width of widths) {
    const last = runs.at(-1);
    if (last?.width === width) last.count += 1;
    else runs.push({ width, count: 1 });
  }
  return runs.map(({ width, count }) => (count === 1 ? `${width}` : `${width}x${count}`)).join("-");
}

/** Convolutions before each pooling of the published networks, by how many layers have weights. */
const VGG_DEPTHS: ReadonlyMap<string, readonly number[]> = new Map([
  ["11", [1, 1, 2, 2, 2]],
  ["13", [2, 2, 2, 2, 2]],
  ["16", [2, 2, 3, 3, 3]],
  ["19", [2, 2, 4, 4, 4]],
]);

/** Convolutions of each stage, as a published depth or one by one: `11` is `1-1-2-2-2`. */
export function readStages(text: string): number[] | undefined {
  const published = VGG_DEPTHS.get(text);
  if (published !== undefined) return [...published];
  return /^\d+(-\d+)+$/.test(text) ? text.split("-").map(Number) : undefined;
}

/** The text that {@link readStages} reads as these stages; of one stage, none does. */
export function writeStages(stages: readonly number[]): string {
  const listed = stages.join("-");
  for (const [depth, published] of VGG_DEPTHS) if (published.join("-") === listed) return depth;
  return listed;
}
