import { type Checkpoint, DTYPES, type DType, UnsupportedError } from "@isthmus/core";
import type { Architecture } from "@isthmus/graph";
import { VERIFY_ALIGNMENT_DEFAULTS, verifyAlignment } from "@isthmus/symmetry";
import { readAsFloats } from "../normalize/float-network.ts";

/**
 * Largest change of an output by rounding all weights to a narrow type, relative to the output's largest
 * element.
 */
const ROUNDED: Partial<Record<DType, number>> = { f16: 2 ** -8, bf16: 2 ** -5 };

/** Largest change of an output by rounding to types of 8 bits and fewer. */
const ROUNDED_FURTHER = 2 ** -2;

/**
 * Returns the largest difference allowed between the outputs of a network before and after it is moved.
 * Weights of 16 bits are rounded once after they are moved, which changes outputs more than rounding in 32
 * bits does: the network is then first moved in 32 bits, and proved like any other.
 *
 * @param move - moves a network, as the one that is proved was moved
 * @throws UnsupportedError if the network computes something else in 32 bits
 */
export async function roundingTolerance(
  architecture: Architecture,
  network: Checkpoint,
  move: (network: Checkpoint) => Promise<Checkpoint>,
  options: { readonly seed: number; readonly signal?: AbortSignal | undefined },
): Promise<number> {
  const { tolerance } = VERIFY_ALIGNMENT_DEFAULTS;
  const dtypes = new Set([...network.tensors.values()].map(({ dtype }) => dtype));
  const narrow = [...dtypes].filter((dtype) => DTYPES[dtype].float && DTYPES[dtype].bytes < 4);
  if (narrow.length === 0) return tolerance;
  const wide = await readAsFloats(network);
  const exact = await verifyAlignment(architecture, [wide, await move(wide)], options);
  if (!exact.passed) {
    throw new UnsupportedError(
      `Cannot align "${network.source}" as aligning must not change what it computes: in 32 bits the output differs by ${exact.maxRelativeError}; please report this network`,
      { feature: "alignment" },
    );
  }
  return Math.max(tolerance, ...narrow.map((dtype) => ROUNDED[dtype] ?? ROUNDED_FURTHER));
}
