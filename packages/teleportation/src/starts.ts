import { at, type Checkpoint, createCheckpoint, createRandom, createTensor, entry } from "@isthmus/core";
import { randomOrthonormal } from "@isthmus/symmetry";
import { type BalancedMeasure, balanceScales } from "@isthmus/weight-matching";
import { act, type Element } from "./element.ts";
import type { Orbit } from "./orbit.ts";

/** Elements from which steps may start, each in closed form. */
export const STARTS = ["given", "balanced", "equalized", "rotated"] as const;

/** One of {@link STARTS}. */
export type Start = (typeof STARTS)[number];

/** How each start is made; undefined if the orbit has no symmetry that it uses. */
const MAKERS: Readonly<Record<Start, (orbit: Orbit, seed: number) => Promise<Element | undefined>>> = {
  given: async ({ identity }) => identity,
  balanced: (orbit) => balanced(orbit, "norm"),
  equalized: (orbit) => balanced(orbit, "largest"),
  rotated: async (orbit, seed) => (orbit.spaces.length === 0 ? undefined : rotated(orbit, seed)),
};

/** Makes a start; undefined if the orbit has no symmetry that it uses. */
export function startOf(start: Start, orbit: Orbit, seed: number): Promise<Element | undefined> {
  return MAKERS[start](orbit, seed);
}

/** Gives all units the scales with which their weights in front equal those behind. */
async function balanced(orbit: Orbit, measure: BalancedMeasure): Promise<Element | undefined> {
  const { identity, base, scales, still } = orbit;
  if (!orbit.movesScales || scales.variables === 0) return undefined;
  const factors = await balanceScales(inMemory(act(orbit, identity, base), scales.weights), scales, measure);
  return {
    ...identity,
    scales: identity.scales.map((scale, i) => (still[i] === 1 ? scale : scale * at(factors, i, "variable"))),
  };
}

function inMemory(
  weights: ReadonlyMap<string, Float64Array>,
  layouts: Orbit["scales"]["weights"],
): Checkpoint {
  const tensors = [...layouts].map(
    ([name, { shape }]) => [name, createTensor("f64", shape, entry(weights, name, "weight"))] as const,
  );
  return createCheckpoint(new Map(tensors));
}

/**
 * Mixes every space by a random orthogonal matrix of its group, with the gains of norms moved into the
 * weights that read them: of a vector with few large elements, all become about equal.
 * @see Ashkboos et al., QuaRot (2024), who rotate by random Hadamard matrices
 */
function rotated({ spaces, scales }: Orbit, seed: number): Element {
  const random = createRandom(seed, "rotation");
  const matrices = spaces.map(({ size, group }) => {
    if (group === "complex" || group === "unit-complex") {
      const angle = 2 * Math.PI * random.uniform();
      return Float64Array.of(Math.cos(angle), -Math.sin(angle), Math.sin(angle), Math.cos(angle));
    }
    if (group !== "orthogonal-keeping-ones") return randomOrthonormal([size, size], random);
    // Both bases are orthogonal to ones, which the last term keeps.
    const left = randomOrthonormal([size - 1, size], random, { isCentred: true });
    const right = randomOrthonormal([size - 1, size], random, { isCentred: true });
    return Float64Array.from({ length: size * size }, (_, place) => {
      const [i, j] = [Math.floor(place / size), place % size];
      let sum = 1 / size;
      for (let k = 0; k < size - 1; k++)
        sum += (left[k * size + i] as number) * (right[k * size + j] as number);
      return sum;
    });
  });
  return { mixture: { matrices, inverses: matrices }, scales: new Float64Array(scales.variables).fill(1) };
}
