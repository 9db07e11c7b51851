import { at, type Checkpoint, DTYPES, toFloat64, UnsupportedError } from "@isthmus/core";
import { type Architecture, bindWeights, parameterNames } from "@isthmus/graph";
import {
  type DiagonalSymmetry,
  type DroppedMixture,
  discoverContinuous,
  discoverSymmetries,
  explainLinearSymmetries,
  explainMixing,
  type FixedNorm,
  gainFactors,
  identityMixture,
  type LinearSummary,
  leaveOutMixtures,
  type MixingSummary,
  type MixingSymmetries,
  moveGainsInPlace,
  occurrencesOf,
  proveSymmetries,
  readGains,
  type Symmetries,
} from "@isthmus/symmetry";
import type { Doubles, Element, Group } from "./element.ts";

/** Groups of symmetries along which a network may be moved, and groups that stay unused, with reasons. */
export interface OrbitGroups {
  /** Layers whose units are multiplied by positive numbers. */
  readonly scales: readonly LinearSummary[];
  /** Residual streams, heads and other spaces whose units are mixed. */
  readonly mixtures: readonly MixingSummary[];
  /** Norms whose residual stream is not mixed, with the reason for each. */
  readonly fixed: readonly FixedNorm[];
  /** Mixtures that do not hold on the weights of the network, with the reason for each. */
  readonly dropped: readonly DroppedMixture[];
}

/** All networks that compute the same as one network and differ from it by proved symmetries. */
export interface Orbit extends Group {
  /**
   * Weights of the network from which elements move it: gains of norms on mixed streams are 1, and the
   * weights that read these norms are multiplied by the gains instead.
   */
  readonly base: Doubles;
  /** Element that moves the base to the network itself. */
  readonly identity: Element;
  /** Returns the base and the identity of another network of the same graph. */
  readonly place: (weights: ReadonlyMap<string, Float64Array>) => Pick<Orbit, "base" | "identity">;
  /** Whether scales change; if not, only the gains of norms are moved as mixtures need it. */
  readonly movesScales: boolean;
  /**
   * 1 for each scale variable that no step changes, since it lies on a weight that is no parameter,
   * `[variables]`.
   */
  readonly still: Uint8Array;
  /** Permutation symmetries of the graph. */
  readonly permutations: Symmetries;
  /** Groups that are used, and groups that are not. */
  readonly groups: OrbitGroups;
}

/** Kinds of symmetries along which networks are moved. */
export const MOVES = ["scales", "mixtures"] as const;

/** One of {@link MOVES}. */
export type Move = (typeof MOVES)[number];

/** Options of {@link openOrbit}. */
export interface OrbitOptions {
  /** Seed of the proof. */
  readonly seed: number;
  /** Kinds of symmetries to use. */
  readonly moves: readonly Move[];
  /** Signal that stops the work between two runs of the graph. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Discovers the scales and mixtures of a graph, proves them on the weights of a network, and prepares the
 * network to be moved. Mixtures whose proof fails are left out.
 *
 * @throws UnsupportedError if the proof of scales or permutations fails
 */
export async function openOrbit(
  { graph, engine }: Architecture,
  network: Checkpoint,
  { seed, moves, signal }: OrbitOptions,
): Promise<Orbit> {
  const permutations = await discoverSymmetries({ graph, engine }, { signal });
  const { linear, mixing: all } = await discoverContinuous({ graph, engine }, permutations, { signal });
  const asked = moves.includes("mixtures")
    ? all
    : leaveOutMixtures(
        all,
        all.spaces.map(({ symmetry }) => symmetry),
      );
  const proof = await proveSymmetries({ graph, engine }, permutations, {
    seed,
    linear,
    mixing: asked,
    weights: network,
    signal,
  });
  if (!proof.passed) {
    const { node = "", error = 0 } = proof.firstFailure ?? {};
    throw new UnsupportedError(
      `Cannot teleport "${network.source}" as its symmetries must hold on its weights: "${node}" differs by ${error.toPrecision(2)} from its prediction; isthmus symmetry --verify --checkpoint says more`,
      { feature: node },
    );
  }
  // Mixtures of a network that is too large to be run have no proof.
  const unproved = proof.mixing === null ? asked.spaces.map(({ symmetry }) => symmetry) : [];
  const parameters = new Set(parameterNames(graph));
  const dropped = [...proof.dropped, ...spacesBeside(asked, parameters)];
  const mixing = leaveOutMixtures(asked, [...unproved, ...dropped.map(({ name }) => name)]);
  const movesScales = moves.includes("scales");
  const place = (weights: ReadonlyMap<string, Float64Array>) => {
    const base: Doubles = new Map([...weights].map(([name, values]) => [name, values.slice()]));
    const gains = readGains(base, mixing);
    moveGainsInPlace(base, linear.scales, mixing, new Map());
    const restored = { before: readGains(base, mixing), after: gains };
    const scales = gainFactors(linear.scales, mixing, restored);
    return { base, identity: { mixture: identityMixture(mixing.spaces), scales } };
  };
  const weights = new Map(
    [...(await bindWeights(graph, network))].flatMap(([name, { data, dtype }]) =>
      DTYPES[dtype].float ? [[name, toFloat64(data, dtype)] as const] : [],
    ),
  );
  const { spaces: mixtures, fixed } = explainMixing(permutations.spec, mixing);
  return {
    ...place(weights),
    place,
    spaces: mixing.spaces,
    occurrences: new Map(
      [...mixing.weights].map(([name, layout]) => [name, occurrencesOf(layout, mixing.spaces)]),
    ),
    scales: linear.scales,
    movesScales,
    still: variablesBeside(linear.scales, parameters),
    permutations,
    groups: {
      scales: movesScales
        ? explainLinearSymmetries(permutations.spec, linear).filter(({ kind }) => kind === "scale")
        : [],
      mixtures,
      fixed: moves.includes("mixtures") ? fixed : [],
      dropped,
    },
  };
}

/** Finds the scale variables that lie on weights that are no parameters, such as statistics of a norm. */
function variablesBeside(
  { variables, weights }: DiagonalSymmetry,
  parameters: ReadonlySet<string>,
): Uint8Array {
  const still = new Uint8Array(variables);
  for (const [name, { fields }] of weights) {
    if (parameters.has(name)) continue;
    for (const field of fields)
      for (const code of field.variables) if (code !== 0) still[Math.abs(code) - 1] = 1;
  }
  return still;
}

/** Finds the mixtures that change weights that are no parameters. */
function spacesBeside(
  { spaces, weights }: MixingSymmetries,
  parameters: ReadonlySet<string>,
): DroppedMixture[] {
  const unheld = new Map<string, DroppedMixture>();
  for (const [node, layout] of weights) {
    if (parameters.has(node)) continue;
    for (const { space } of occurrencesOf(layout, spaces)) {
      const { symmetry: name } = at(spaces, space, "space");
      unheld.set(name, { name, node, reason: `"${node}" is no parameter` });
    }
  }
  return [...unheld.values()];
}
