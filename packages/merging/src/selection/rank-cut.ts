/**
 * A cut of the elements of a tensor in the order of their magnitudes. Before it are all elements whose
 * magnitude comes before `magnitude`, and elements equal to `magnitude` up to `position`.
 */
export interface RankCut {
  /** Bit pattern of the absolute value at the cut, as f32. */
  readonly magnitude: number;
  /** Position in the tensor of the last element of that magnitude before the cut; -1 if there is none. */
  readonly position: number;
}

/** Elements that come first in an order; equal elements are in the order of their positions in both. */
export type RankOrder = "largest" | "smallest";

/** Largest pattern of a magnitude, above all finite numbers, infinity and all NaN but one. */
const TOP = 0x7fffffff;

/** Returns the cut at the beginning of an order of magnitudes: no element comes before it. */
export function cutNothing(order: RankOrder): RankCut {
  return order === "largest" ? { magnitude: TOP - 1, position: -1 } : { magnitude: 0, position: -1 };
}

/** Returns the cut that has all elements before it. */
export function cutEverything(order: RankOrder): RankCut {
  return { magnitude: order === "largest" ? 0 : TOP - 1, position: Number.POSITIVE_INFINITY };
}

/** A range of a tensor in which the elements between two magnitudes are kept. */
export interface KeptMagnitudes {
  /** Position of the first element of the range. */
  readonly begin: number;
  /** Position after the last element of the range. */
  readonly end: number;
  /** Smallest pattern that is kept. */
  readonly least: number;
  /** Smallest pattern above the kept ones. */
  readonly below: number;
}

/** Cuts between which elements are kept. */
export interface KeptRanks {
  /** Elements before this cut are kept. */
  readonly inside: RankCut;
  /** Order of both cuts. */
  readonly order: RankOrder;
  /** Elements before this cut are dropped although they are before `inside`. */
  readonly outside?: RankCut | undefined;
}

/**
 * Splits a range at the positions of cuts, so that within each piece the magnitudes alone decide which
 * elements are kept.
 */
export function splitAtCuts(
  { inside, order, outside }: KeptRanks,
  begin: number,
  end: number,
): KeptMagnitudes[] {
  const places = [inside, outside].flatMap((cut) => (cut === undefined ? [] : [cut.position + 1]));
  const bounds = [...new Set([begin, ...places.filter((place) => place > begin && place < end), end])];
  bounds.sort((a, b) => a - b);
  return bounds.slice(1).map((until, k) => {
    const from = bounds[k] as number;
    return { begin: from, end: until, ...keptFrom({ inside, order, outside }, from) };
  });
}

/** Returns the magnitudes that are kept in a range; undefined if a cut splits the range. */
export function magnitudesKept(
  ranks: KeptRanks,
  begin: number,
  end: number,
): Pick<KeptMagnitudes, "least" | "below"> | undefined {
  const splits = ({ position }: RankCut): boolean => position + 1 > begin && position + 1 < end;
  if (splits(ranks.inside) || (ranks.outside !== undefined && splits(ranks.outside))) return undefined;
  return keptFrom(ranks, begin);
}

/** Returns the magnitudes that are kept from a position up to the next cut. */
function keptFrom(
  { inside, order, outside }: KeptRanks,
  from: number,
): Pick<KeptMagnitudes, "least" | "below"> {
  if (order === "largest") {
    return { least: firstLarge(inside, from), below: outside ? firstLarge(outside, from) : TOP };
  }
  return { least: outside ? endOfSmall(outside, from) : 0, below: endOfSmall(inside, from) };
}

/** Returns the smallest pattern that is among the largest, at a position. */
function firstLarge({ magnitude, position }: RankCut, at: number): number {
  return at <= position ? magnitude : magnitude + 1;
}

/** Returns the pattern above the largest one that is among the smallest, at a position. */
function endOfSmall({ magnitude, position }: RankCut, at: number): number {
  return at <= position ? magnitude + 1 : magnitude;
}
