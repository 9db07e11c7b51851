import { createRandom, OutOfRangeError, type Random } from "@isthmus/core";

/** How examples are divided among clients. */
export interface PartitionOptions {
  /** Number of clients, at least 1 and at most as many as there are examples. */
  readonly clients: number;
  readonly seed: number;
}

/** How examples are divided by {@link partitionByDirichlet}. */
export interface DirichletOptions extends PartitionOptions {
  /** Concentration, more than 0: the smaller it is, the fewer clients share a class. */
  readonly alpha: number;
  /** Examples that each client has at least; shares are drawn again until it does. @defaultValue 10 */
  readonly least?: number;
}

/**
 * Divides examples at random into parts of equal size, up to one.
 * @param labels - class of each example, `[examples]`
 * @returns the places of each client's examples, ascending
 * @throws OutOfRangeError if there are more clients than examples
 */
export function partitionEvenly(
  labels: ArrayLike<number>,
  { clients, seed }: PartitionOptions,
): Uint32Array[] {
  assertClients(clients, labels.length);
  const order = createRandom(seed, "even partition").shuffleInPlace(placesUpTo(labels.length));
  const cut = (client: number) => Math.round((client * labels.length) / clients);
  return Array.from({ length: clients }, (_, i) => order.slice(cut(i), cut(i + 1)).sort());
}

/**
 * Divides examples so that clients have different shares of each class: for each class, in ascending order,
 * the shares of all clients are drawn from a symmetric Dirichlet distribution, and its examples, in random
 * order, are cut by them.
 *
 * As in the authors' code, all shares are drawn again until each client has at least `least` examples; unlike
 * the code, clients that already have an average number are not left out of later classes, which the paper
 * does not mention and which is no Dirichlet distribution.
 *
 * @param labels - class of each example, `[examples]`, whole numbers of at least 0
 * @returns the places of each client's examples, ascending
 * @throws OutOfRangeError if `alpha` is not positive, there are more clients than examples, or no draw of a
 *   thousand gives each client enough examples
 *
 * Source: Yurochkin et al., Bayesian nonparametric federated learning of neural networks, 2019, section 4;
 * Wang et al., Federated learning with matched averaging, 2020, section 3.
 */
export function partitionByDirichlet(
  labels: ArrayLike<number>,
  { clients, seed, alpha, least = 10 }: DirichletOptions,
): Uint32Array[] {
  assertClients(clients, labels.length);
  if (!(alpha > 0 && Number.isFinite(alpha))) {
    throw new OutOfRangeError(`Cannot divide examples as "alpha" must be positive: it is ${alpha}`);
  }
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const random = createRandom(seed, `dirichlet partition ${attempt}`);
    const parts = drawParts(labels, clients, alpha, random);
    if (parts.every(({ length }) => length >= least)) {
      return parts.map((places) => Uint32Array.from(places).sort());
    }
  }
  throw new OutOfRangeError(
    `Cannot divide ${labels.length} examples as each of ${clients} clients must have at least ${least} of them: ` +
      `${ATTEMPTS} draws at alpha ${alpha} left one with fewer; raise alpha, or lower least`,
  );
}

/**
 * Draws a point of the simplex from a symmetric Dirichlet distribution, by gamma variates.
 * @returns `size` shares of sum 1
 */
export function drawDirichlet(size: number, alpha: number, random: Random): number[] {
  // In logarithms, as variates of a small alpha are often 0 in f64.
  const logs = Array.from({ length: size }, () => drawLogGamma(alpha, random));
  const largest = Math.max(...logs);
  const parts = logs.map((log) => Math.exp(log - largest));
  const sum = parts.reduce((total, part) => total + part, 0);
  return parts.map((part) => part / sum);
}

/** Counts the examples of each class, `[classes]`. */
export function countClasses(labels: ArrayLike<number>, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (let i = 0; i < labels.length; i++)
    counts[labels[i] as number] = (counts[labels[i] as number] ?? 0) + 1;
  return counts;
}

/** Times that shares are drawn until every client has enough examples. */
const ATTEMPTS = 1000;

function drawParts(labels: ArrayLike<number>, clients: number, alpha: number, random: Random): number[][] {
  const parts: number[][] = Array.from({ length: clients }, () => []);
  const byClass = new Map<number, number[]>();
  for (let place = 0; place < labels.length; place++) {
    const label = labels[place] as number;
    const places = byClass.get(label);
    if (places === undefined) byClass.set(label, [place]);
    else places.push(place);
  }
  for (const label of [...byClass.keys()].sort((a, b) => a - b)) {
    const places = random.shuffleInPlace(byClass.get(label) as number[]);
    const shares = drawDirichlet(clients, alpha, random);
    let [begin, upTo] = [0, 0];
    for (const [client, share] of shares.entries()) {
      upTo += share;
      const end = client === clients - 1 ? places.length : Math.floor(upTo * places.length);
      parts[client]?.push(...places.slice(begin, end));
      begin = end;
    }
  }
  return parts;
}

/**
 * Draws the logarithm of a gamma variate of a shape and scale 1.
 *
 * Source: Marsaglia and Tsang, A simple method for generating gamma variables, 2000; shapes below 1 by the
 * power of a uniform number, section 6.
 */
function drawLogGamma(shape: number, random: Random): number {
  if (shape < 1) return drawLogGamma(shape + 1, random) + Math.log(1 - random.uniform()) / shape;
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const v = (1 + c * x) ** 3;
    if (v <= 0) continue;
    if (Math.log(1 - random.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return Math.log(d * v);
  }
}

function placesUpTo(count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, place) => place);
}

function assertClients(clients: number, examples: number): void {
  if (Number.isSafeInteger(clients) && clients >= 1 && clients <= examples) return;
  throw new OutOfRangeError(
    `Cannot divide ${examples} examples as the number of clients must be a whole number in [1, ${examples}]: it is ${clients}`,
  );
}
