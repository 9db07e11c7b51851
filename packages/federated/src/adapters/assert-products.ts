import { UnsupportedError } from "@isthmus/core";
import type { Configured } from "../aggregate/aggregate-options.ts";
import { parametersOf } from "../aggregate/parameters-of.ts";
import type { ServerStep } from "../server-step/server-step.ts";
import type { FactorPair } from "./factor-pairs.ts";
import { linearStep } from "./linear-step.ts";

/** Choices of a federation that may need the products of adapters in full. */
export interface ProductChoices {
  /** The server's optimiser. */
  readonly server: Configured<ServerStep>;
  /** Whether noise is added, by the server or by clients. @defaultValue false */
  readonly hasNoise?: boolean;
  /** Whether updates are masked, so that the server sees their sum alone. @defaultValue false */
  readonly isSecure?: boolean;
  /** Whether the units of updates are permuted. @defaultValue false */
  readonly isAligned?: boolean;
}

/** Advice for federations in which both factors of an adapter must not be shared. */
const KEEP_ONE =
  'keep one factor with the clients by strategy: { share: { layers: { "*lora_A*": keep } } }, as FFA-LoRA does; then the other one is averaged by elements';

/**
 * Checks that a federation whose clients share both factors of adapters needs none of their products in full.
 * @param pairs - shared pairs of factors; nothing is checked if there are none
 * @throws UnsupportedError if a choice needs products in full; the message names the reason and what to do
 */
export function assertProducts(
  [pair]: readonly FactorPair[],
  { server, hasNoise = false, isSecure = false, isAligned = false }: ProductChoices,
): void {
  if (pair === undefined) return;
  linearStep(server.of, parametersOf("step the server", server), 1);
  const refuse = (attempt: string, reason: string, feature: string): never => {
    throw new UnsupportedError(`Cannot ${attempt} "${pair.module}" as ${reason}`, { feature });
  };
  if (hasNoise) {
    refuse(
      "add noise to",
      `its change is a product of two factors, whose noises multiply, and noise on the product would need it in full: ${KEEP_ONE}`,
      "privacy",
    );
  }
  if (isSecure) {
    refuse(
      "sum the factors of",
      `a secure sum shows the sum of factors, which is not the sum of products: ${KEEP_ONE}`,
      "secure sum",
    );
  }
  if (isAligned) {
    refuse(
      "align",
      "it is a change of a network by an adapter, and the network that it changes is not here: leave out the alignment, as products do not depend on the order of ranks, and clients began with the same weights",
      "align",
    );
  }
}
