/**
 * The end of the first elements of a tensor in the order of their magnitudes: all beyond `magnitude` count,
 * and of those equal to it the ones up to `position`.
 */
export interface RankCut {
  /** Bit pattern of the absolute value, as f32. */
  readonly magnitude: number;
  /** Position in the tensor of the last element of that magnitude that counts; -1 if none does. */
  readonly position: number;
}

/** Which elements come first: equal ones are in the order of their positions either way. */
export type RankOrder = "largest" | "smallest";

/** Pattern above every finite number, infinity and all NaN but one. */
const TOP = 0x7fffffff;

/** Returns the cut that has no elements before it. */
export function cutNothing(order: RankOrder): RankCut {
  return order === "largest" ? { magnitude: TOP - 1, position: -1 } : { magnitude: 0, position: -1 };
}

/** Returns the cut that has all elements before it. */
export function cutEverything(order: RankOrder): RankCut {
  return { magnitude: order === "largest" ? 0 : TOP - 1, position: Number.POSITIVE_INFINITY };
}

/** A range of a tensor in which the elements between two magnitudes are kept. */
export interface KeptMagnitudes {
  readonly begin: number;
  readonly end: number;
  /** Smallest pattern that is kept. */
  readonly least: number;
  /** Patterns from here on are dropped. */
  readonly below: number;
}

/** Cuts between which elements are kept. */
export interface KeptRanks {
  /** Elements before this cut are kept. */
  readonly inside: RankCut;
  /** The order of `inside`. */
  readonly order: RankOrder;
  /** Elements before this cut are dropped all the same; it has the same order. */
  readonly outside?: RankCut | undefined;
}

/**
 * Splits a range at the positions of cuts, so that within each piece a comparison of magnitudes tells which
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

/** Returns the magnitudes that are kept in a range that no cut splits; undefined where one does. */
export function magnitudesKept(
  ranks: KeptRanks,
  begin: number,
  end: number,
): Pick<KeptMagnitudes, "least" | "below"> | undefined {
  const splits = ({ position }: RankCut): boolean => position + 1 > begin && position + 1 < end;
  if (splits(ranks.inside) || (ranks.outside !== undefined && splits(ranks.outside))) return undefined;
  return keptFrom(ranks, begin);
}

/** The magnitudes that are kept from a position up to the next cut. */
function keptFrom(
  { inside, order, outside }: KeptRanks,
  from: number,
): Pick<KeptMagnitudes, "least" | "below"> {
  if (order === "largest") {
    return { least: firstLarge(inside, from), below: outside ? firstLarge(outside, from) : TOP };
  }
  return { least: outside ? endOfSmall(outside, from) : 0, below: endOfSmall(inside, from) };
}

/** The smallest pattern that counts among the largest, at a position. */
function firstLarge({ magnitude, position }: RankCut, at: number): number {
  return at <= position ? magnitude : magnitude + 1;
}

/** The pattern above the last that counts among the smallest, at a position. */
function endOfSmall({ magnitude, position }: RankCut, at: number): number {
  return at <= position ? magnitude + 1 : magnitude;
}
