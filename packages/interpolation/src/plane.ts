import { assertSameStructure, at, blendInto, type Checkpoint, InputError } from "@isthmus/core";
import { combine } from "./combine.ts";
import { type InnerProductsOptions, innerProducts } from "./inner-products.ts";

/** Options of {@link createPlane}: the tensors that count in lengths and angles. */
export type PlaneOptions = InnerProductsOptions;

/** A place in a plane, relative to the first network, in units of distance between weights. */
export interface PlanePlace {
  /** Distance in the direction of the third network. */
  readonly x: number;
  /** Distance at right angles to `x`, in the direction of the second network. */
  readonly y: number;
}

/** Place in a plane that is nearest to a network. */
export interface PlaneProjection extends PlanePlace {
  /** Distance of the network from the plane. */
  readonly distance: number;
}

/** Three networks that span a plane, such as a curve's first end, its bend and its last end. */
export type PlaneNetworks = readonly [first: Checkpoint, second: Checkpoint, third: Checkpoint];

/** The plane through three networks. */
export interface Plane {
  /** Places of the three networks: the first at the origin, the third on the x axis. */
  readonly places: readonly [PlanePlace, PlanePlace, PlanePlace];
  /** Returns the coefficients of the three networks at a place; they sum to 1. */
  coefficients(place: PlanePlace): readonly [number, number, number];
  /**
   * Returns the network at a place, lazily: computed in f32 and rounded once to the element type of the first
   * network, from which integer tensors are copied.
   */
  at(place: PlanePlace): Checkpoint;
  /**
   * Finds the place nearest to a network, and the distance of the network from it.
   * @throws MismatchError if names or shapes differ from the networks of the plane
   */
  project(network: Checkpoint): Promise<PlaneProjection>;
}

/**
 * Largest distance of a network from the line through the others, relative to their distances, for which it
 * counts as being on the line.
 */
const FLAT = 1e-6;

/**
 * Creates the plane through three networks (Garipov et al. 2018, section 5.1): the x axis points from the
 * first to the third, and the y axis is the component, at right angles to the x axis, of the direction from
 * the first to the second (Gram-Schmidt). Sums are in f64.
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
      const toNetwork = [-1, 0, 0, 1];
      const products = await innerProducts(all, [[-1, 0, 1, 0], [...acrossOf(slant), 0], toNetwork], options);
      const onto = at(products, 2, "direction");
      const place = { x: at(onto, 0, "axis") / width, y: at(onto, 1, "axis") / height };
      const fromPlane = [...coefficients(place).map((share) => -share), 1];
      return { ...place, distance: Math.sqrt(await squaredLength(all, fromPlane, options)) };
    },
  };
}

/** Axes of a plane before they are scaled: `w_2 - w_0` and `w_1 - w_0 - slant (w_2 - w_0)`. */
interface Axes {
  /** Length of the first axis: distance of the third network from the first. */
  readonly width: number;
  /** Length of the second axis: distance of the second network from the line through the others. */
  readonly height: number;
  /** Place of the second network along the first axis, as a share of the length of that axis. */
  readonly slant: number;
}

async function squaredLength(
  networks: readonly Checkpoint[],
  direction: readonly number[],
  options: PlaneOptions,
): Promise<number> {
  const products = await innerProducts(networks, [direction], options);
  return at(at(products, 0, "direction"), 0, "direction");
}

const acrossOf = (slant: number) => [slant - 1, 1, -slant];

async function measureAxes(networks: PlaneNetworks, options: PlaneOptions): Promise<Axes> {
  const directions = [
    [-1, 0, 1],
    [-1, 1, 0],
  ];
  const [[toThird], [mixed, toSecond]] = (await innerProducts(networks, directions, options)) as [
    [number, number],
    [number, number],
  ];
  const slant = mixed / toThird;
  // Measured again, as the difference of the products has few correct digits for nearly parallel directions.
  const across = await squaredLength(networks, acrossOf(slant), options);
  const [width, height] = [Math.sqrt(toThird), Math.sqrt(across)];
  if (height > FLAT * Math.sqrt(Math.max(toThird, toSecond))) return { width, height, slant };
  const rule = Number.isFinite(toThird + toSecond)
    ? `they must not lie on a line: the first and the third are ${width} apart, the second is ${height || 0} away from the line through them`
    : "their weights must be finite: some are not";
  const sources = networks.map(({ source }) => `"${source}"`).join(", ");
  throw new InputError(`Cannot lay a plane through ${sources} as ${rule}`, { input: networks[1].source });
}
