import { at } from "@isthmus/core";
import { adamStep, createMoments, type Moments, moveMixture, toAlgebra } from "@isthmus/weight-matching";
import type { Element } from "./element.ts";
import type { Orbit } from "./orbit.ts";
import type { AlgebraGradient } from "./pull-back.ts";

/** State of the steps along an orbit. */
export interface Walk {
  /** Steps made. */
  readonly step: number;
  /** Element from which the walk began. */
  readonly from: Element;
  /** Element that the walk has reached. */
  readonly element: Element;
  /** Moments of each space, `[size * size]`; they change from step to step. */
  readonly ofMatrices: readonly Moments[];
  /** Moments of the logarithms of scales, `[variables]`; they change from step to step. */
  readonly ofScales: Moments;
}

/** Begins to walk at an element. */
export function beginWalk({ spaces, scales }: Orbit, element: Element): Walk {
  return {
    step: 0,
    from: element,
    element,
    ofMatrices: spaces.map(({ size }) => createMoments(size * size)),
    ofScales: createMoments(scales.variables),
  };
}

/**
 * Makes a step of Adam in the algebra of each group, in the frame that moves with the element.
 * @param rate - change of the logarithm of a scale, and of an element of a generator times the root of its
 *   size; negative to go down
 * @param limit - largest number by which a scale may differ from that at the start of the walk
 */
export function takeStep(
  { spaces, still }: Orbit,
  walk: Walk,
  gradient: AlgebraGradient,
  { rate, limit }: { readonly rate: number; readonly limit: number },
): Walk {
  const { from, element, ofMatrices, ofScales } = walk;
  const step = walk.step + 1;
  const mixture = moveMixture(spaces, element.mixture, (index, size, group) => {
    const direction = adamStep(at(gradient.matrices, index, "space"), at(ofMatrices, index, "space"), step);
    // All elements of a generator together then move vectors by about the rate, whatever the size.
    const share = rate / Math.sqrt(size);
    return toAlgebra(direction, size, group).map((value) => share * value);
  });
  const logarithms = adamStep(gradient.scales, ofScales, step);
  const scales = element.scales.map((scale, i) => {
    if (still[i] === 1) return scale;
    const begun = at(from.scales, i, "variable");
    const factor = (scale / begun) * Math.exp(rate * at(logarithms, i, "variable"));
    return begun * Math.min(limit, Math.max(1 / limit, factor));
  });
  return { ...walk, step, element: { mixture, scales } };
}
