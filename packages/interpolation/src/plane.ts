import { assertSameStructure, blendInto, type Checkpoint, InputError } from "@isthmus/core";
import { combine } from "./combine.ts";
import { type InnerProductsOptions, innerProducts } from "./inner-products.ts";

/** Options of {@link createPlane}: which tensors lengths and angles are measured by. */
export type PlaneOptions = InnerProductsOptions;

/** A place in a plane, in units of distance between weights, from the first network. */
export interface PlanePlace {
  /** Towards the third network. */
  readonly x: number;
  /** At right angles to that, towards the second. */
  readonly y: number;
}

/** A network seen from a plane. */
export interface PlaneProjection extends PlanePlace {
  /** Distance of the network from the plane. */
  readonly distance: number;
}

/** Three networks that span a plane, such as a curve's first end, its bend and its last end. */
export type PlaneNetworks = readonly [first: Checkpoint, second: Checkpoint, third: Checkpoint];

/** The plane through three networks. */
export interface Plane {
  /** Where the three networks lie: the first at the origin, the third on the x axis. */
  readonly places: readonly [PlanePlace, PlanePlace, PlanePlace];
  /** How much of each of the three networks is in the one at a place; the numbers sum to 1. */
  coefficients(place: PlanePlace): readonly [number, number, number];
  /**
   * Returns the network at a place, lazily: computed in f32 and rounded once to the element type of the first network, of
   * which integer tensors are, too.
   */
  at(place: PlanePlace): Checkpoint;
  /**
   * Finds the place nearest to a network, and how far it is.
   * @throws MismatchError if names or shapes differ from those of the plane
   */
  project(network: Checkpoint): Promise<PlaneProjection>;
}

/** Networks are on a line if one is this much nearer to the line through the others than networks are apart. */
const FLAT = 1e-6;

/**
 * Lays a plane through three networks (Garipov et al. 2018, section 5.1): the x axis goes from the first to the third, the y
 * axis is what the way from the first to the second has at right angles to it (Gram-Schmidt). Sums are in f64.
 * @throws MismatchError if names or shapes differ
 * @throws InputError if the networks lie on a line
 */
export async function createPlane(networks: PlaneNetworks, options: PlaneOptions = {}): Promise<Plane> {
  const [first, second, third] = networks;
  for (const other of [second, third]) assertSameStructure(first, other);
  const { width, height, slant } = await measureAxes(networks, options);
  const coefficients = ({ x, y }: PlanePlace): [number, number, number] => {
    const toSecond = y / height;
    const toThird = x / width - slant * toSecond;
    return [1 - toSecond - toThird, toSecond, toThird];
  };
  return {
    places: [
      { x: 0, y: 0 },
      { x: slant * width, y: height },
      { x: width, y: 0 },
    ],
    coefficients,
    at(place) {
      const shares = coefficients(place);
      return combine({
        source: `plane(${networks.map(({ source }) => source).join(", ")}, ${place.x}, ${place.y})`,
        inputs: networks,
        integersFrom: first,
        blend: (_range, parts, out) => blendInto(parts, shares, out),
      });
    },
    async project(network) {
      assertSameStructure(first, network);
      const all = [...networks, network];
      const way = [-1, 0, 0, 1];
      const axes = [[-1, 0, 1, 0], [...acrossOf(slant), 0], way];
      const [, , onto = []] = await innerProducts(all, axes, options);
      const place = { x: (onto[0] ?? 0) / width, y: (onto[1] ?? 0) / height };
      const inPlane = [...coefficients(place), 0];
      const [[square = 0] = []] = await innerProducts(
        all,
        [inPlane.map((share, k) => (k === 3 ? 1 : -share))],
        options,
      );
      return { ...place, distance: Math.sqrt(square) };
    },
  };
}

/** The axes of a plane before they are scaled: `w_2 - w_0` and `w_1 - w_0 - slant (w_2 - w_0)`. */
interface Axes {
  /** Length of the first: distance of the third network from the first. */
  readonly width: number;
  /** Length of the second: distance of the second network from the line through the others. */
  readonly height: number;
  /** Where on the way from the first to the third the second lies, as a share of it. */
  readonly slant: number;
}

const acrossOf = (slant: number) => [slant - 1, 1, -slant];

async function measureAxes(networks: PlaneNetworks, options: PlaneOptions): Promise<Axes> {
  const directions = [
    [-1, 0, 1],
    [-1, 1, 0],
  ];
  const [[toThird = 0] = [], [mixed = 0, toSecond = 0] = []] = await innerProducts(
    networks,
    directions,
    options,
  );
  const slant = mixed / toThird;
  // Measured anew, as the difference of the products would lose what is left of nearly parallel directions.
  const [[across = 0] = []] = await innerProducts(networks, [acrossOf(slant)], options);
  const [width, height] = [Math.sqrt(toThird), Math.sqrt(across)];
  if (height > FLAT * Math.sqrt(Math.max(toThird, toSecond))) return { width, height, slant };
  const rule = Number.isFinite(toThird + toSecond)
    ? `they must not lie on a line: the first and the third are ${width} apart, the second is ${height || 0} away from the line through them`
    : "their weights must be finite: some are not";
  const sources = networks.map(({ source }) => `"${source}"`).join(", ");
  throw new InputError(`Cannot lay a plane through ${sources} as ${rule}`, { input: networks[1].source });
}
