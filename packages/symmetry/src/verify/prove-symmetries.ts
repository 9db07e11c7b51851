import type { Checkpoint } from "@isthmus/core";
import { type Architecture, withSharedSessions } from "@isthmus/graph";
import type { Symmetries } from "../derive-spec.ts";
import type { Exchange } from "../exchange/exchange-parts.ts";
import { type VerifyExchangesResult, verifyExchanges } from "../exchange/verify-exchanges.ts";
import { discoverLinearSymmetries } from "../linear/discover-linear-symmetries.ts";
import type { LinearSymmetries } from "../linear/linear-symmetries.ts";
import { type VerifyLinearResult, verifyLinearSymmetries } from "../linear/verify-linear-symmetries.ts";
import type { MixingSymmetries } from "../mixing/mixing-symmetries.ts";
import { type DroppedMixture, type MixturesProof, proveMixtures } from "../mixing/prove-mixtures.ts";
import type { VerifyMixingResult } from "../mixing/verify-mixing.ts";
import type { SymmetrySpec } from "../spec.ts";
import { narrowLarge } from "./narrow-large.ts";
import { proveTogether } from "./prove-together.ts";
import { type VerifySymmetriesResult, verifySymmetries } from "./verify-symmetries.ts";

/** Options of {@link proveSymmetries}. */
export interface ProveSymmetriesOptions {
  /** Seed of the elements of the group, of the inputs, and of random weights. */
  readonly seed: number;
  /** Symmetries beyond permutation of the same graph, to be proved as well. @defaultValue none */
  readonly linear?: LinearSymmetries | undefined;
  /** Mixtures of units of the same graph, to be proved as well. @defaultValue none */
  readonly mixing?: MixingSymmetries | undefined;
  /** Exchanges of parts of the same graph, to be proved as well. @defaultValue none */
  readonly exchanges?: readonly Exchange[] | undefined;
  /** Weights to prove them on. @defaultValue random ones */
  readonly weights?: Checkpoint | undefined;
  /** Signal that stops the proof between two runs of the graph. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
}

/** Results of proving that symmetries keep every value of a network. */
export interface SymmetryProof extends VerifySymmetriesResult {
  /**
   * Whether the network was too large to be run, and a small one of the same structure was run in its
   * place.
   */
  readonly narrowed: boolean;
  /**
   * Number of values that were not compared, as their block of nodes is like an earlier one whose values
   * were: the nodes are equal, and the symmetries do the same to both (see `leaveOutBlocks`). Absent if every
   * value was compared.
   */
  readonly alike?: number;
  /** Results for scales, signs and rotations. */
  readonly linear: readonly VerifyLinearResult[];
  /** Result for mixtures; null if none remain, or the network was too large to be run. */
  readonly mixing: VerifyMixingResult | null;
  /** Mixtures whose proof failed: `mixing` leaves them out, and the whole proof can pass without them. */
  readonly dropped: readonly DroppedMixture[];
  /** Result for exchanges; null if there are none, or the network was too large to be run. */
  readonly exchanges: VerifyExchangesResult | null;
}

/**
 * Proves symmetries on every value of a graph: permutations, and scales, signs, rotations, mixtures and
 * exchanges if they are given. All but exchanges are tried together, by random elements of the whole group
 * (see `proveTogether`); only if some value then differs from its prediction, each kind is tried by itself,
 * to find the symmetries that fail and to leave out values that rounding alone changes.
 *
 * A network that is built from a config and has more than 2^27 weights is not run: a narrowed network of
 * random weights is run instead, whose structure and rules are the same. If a graph computes more than 2^25
 * numbers, and weights are random, one of several blocks that are alike is proved for all of them.
 * @param symmetries - as `discoverSymmetries` finds them, or a list of one's own
 * @throws MismatchError if `weights` do not fit the graph
 */
export async function proveSymmetries(
  architecture: Architecture,
  symmetries: Symmetries | SymmetrySpec,
  options: ProveSymmetriesOptions,
): Promise<SymmetryProof> {
  // One session runs the graph in all proofs.
  return withSharedSessions(architecture.engine, (engine) =>
    prove({ ...architecture, engine }, symmetries, options),
  );
}

async function prove(
  architecture: Architecture,
  symmetries: Symmetries | SymmetrySpec,
  { seed, linear, mixing, exchanges = [], weights, signal }: ProveSymmetriesOptions,
): Promise<SymmetryProof> {
  const { graph, engine } = architecture;
  const small = "spec" in symmetries ? await narrowLarge(architecture, signal) : undefined;
  if (small !== undefined) {
    const permutations = await verifySymmetries({ graph: small.graph, engine }, small.symmetries, {
      seed,
      signal,
    });
    const both = {
      permutations: small.symmetries,
      linear: await discoverLinearSymmetries({ graph: small.graph, engine }, small.symmetries, { signal }),
    };
    const beyond = await verifyLinearSymmetries({ graph: small.graph, engine }, both, { seed, signal });
    return joined({ ...permutations, narrowed: true }, beyond, { mixing: UNTRIED, exchanges: null });
  }
  const exchanged =
    exchanges.length === 0
      ? null
      : await verifyExchanges({ graph, engine }, exchanges, { seed, weights, signal });
  if ("spec" in symmetries) {
    const together = { permutations: symmetries, linear, mixing: linear && mixing };
    const proof = await proveTogether({ graph, engine }, together, { seed, weights, signal });
    if (proof !== undefined) {
      const mixed = { proof: proof.mixing, dropped: [] };
      const alike = proof.alike === 0 ? {} : { alike: proof.alike };
      return joined({ ...proof.permutations, narrowed: false, ...alike }, proof.linear, {
        mixing: mixed,
        exchanges: exchanged,
      });
    }
  }
  const permutations = await verifySymmetries({ graph, engine }, symmetries, { seed, weights, signal });
  const both =
    "spec" in symmetries && linear !== undefined ? { permutations: symmetries, linear } : undefined;
  const beyond =
    both === undefined
      ? []
      : await verifyLinearSymmetries({ graph, engine }, both, { seed, weights, signal });
  const mixed =
    both === undefined || mixing === undefined
      ? UNTRIED
      : await proveMixtures({ graph, engine }, { ...both, mixing }, { seed, weights, signal });
  return joined({ ...permutations, narrowed: false }, beyond, { mixing: mixed, exchanges: exchanged });
}

/** Result for mixtures that are not tried. */
const UNTRIED: MixturesProof = { proof: null, dropped: [] };

/** Joins the proofs: the whole passes if all do. */
function joined(
  proof: Omit<SymmetryProof, "linear" | "mixing" | "dropped" | "exchanges">,
  linear: readonly VerifyLinearResult[],
  { mixing: mixtures, exchanges }: Pick<SymmetryProof, "exchanges"> & { readonly mixing: MixturesProof },
): SymmetryProof {
  const { proof: mixing, dropped } = mixtures;
  const further = [
    ...linear,
    ...(mixing === null ? [] : [mixing]),
    ...(exchanges === null ? [] : [exchanges]),
  ];
  const passed = proof.passed && further.every((result) => result.passed);
  return { ...proof, passed, linear, mixing, dropped, exchanges };
}
