import type { MatrixData } from "../matrix.ts";

/**
 * A block of a matrix: the position of its first element, and the distances between its lines and within
 * them.
 */
export interface Block {
  /** Position of the first element. */
  readonly begin: number;
  /** Number of lines that panels are made of: rows of a left matrix, columns of a right one. */
  readonly lines: number;
  /** Number of steps of the inner dimension. */
  readonly depth: number;
  /** Distance between lines. */
  readonly lineStride: number;
  /** Distance between steps. */
  readonly depthStride: number;
}

/** Packs a block into panels of `width` lines, `[panels][depth][width]`; lines that are missing are zeros. */
export function packPanels(source: MatrixData, block: Block, width: number, out: MatrixData): void {
  const { begin, lines, depth, lineStride, depthStride } = block;
  for (let first = 0, panel = 0; first < lines; first += width, panel += depth * width) {
    const count = Math.min(width, lines - first);
    if (count < width) out.fill(0, panel, panel + depth * width);
    if (depthStride === 1) {
      for (let line = 0; line < count; line++) {
        const from = begin + (first + line) * lineStride;
        for (let p = 0; p < depth; p++) out[panel + p * width + line] = source[from + p]!;
      }
    } else {
      for (let p = 0; p < depth; p++) {
        const from = begin + first * lineStride + p * depthStride;
        const to = panel + p * width;
        for (let line = 0; line < count; line++) out[to + line] = source[from + line * lineStride]!;
      }
    }
  }
}
