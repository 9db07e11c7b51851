import type { SymmetrySpec } from "@isthmus/symmetry";

/** Sizes of all symmetries, sorted: `24` for a plain one, `4x6` for one of 6 units in each of 4 cells. */
export function describeSizes({ symmetries }: SymmetrySpec): string[] {
  const sizes = symmetries.map(({ size, cells }) => {
    const nested = (cells[0]?.length ?? 0) > 0;
    return { cells: nested ? cells.length : 0, size, text: nested ? `${cells.length}x${size}` : `${size}` };
  });
  sizes.sort((a, b) => a.cells - b.cells || a.size - b.size);
  return sizes.map(({ text }) => text);
}
