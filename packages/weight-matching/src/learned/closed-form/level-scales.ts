import { at } from "@isthmus/core";
import { balanceScales } from "../../normalize/balance-scales.ts";
import { permuteFramed, toCheckpoint } from "../permute-framed.ts";
import type { Doubles, FramedPair } from "../stream-frame.ts";
import { identityFactors, multiplied, type UnitFactors } from "../unit-factors.ts";
import type { SignedMatch } from "./match-signed-units.ts";

/** Gives each unit of a network whose scale is free as much norm in front of it as behind it. */
export async function leveled(
  pair: Pick<FramedPair, "architecture" | "frame">,
  network: Doubles,
): Promise<Doubles> {
  const { units } = pair.frame;
  return multiplied(units, network, { ...identityFactors(units), scales: await balance(pair, network) });
}

/**
 * Finds the factors of the units of B once it is permuted: the signs they were matched with, and the scales
 * that bring the norms in front of and behind each unit into the proportion that they have in A.
 *
 * @param b - B, not permuted yet
 */
export async function matchedFactors(
  pair: Omit<FramedPair, "b">,
  b: Doubles,
  { alignment, signs }: SignedMatch,
): Promise<UnitFactors> {
  const { units } = pair.frame;
  const signed = { ...identityFactors(units), signs };
  const turned = multiplied(units, await permuteFramed(pair.architecture, alignment, b), signed);
  const [ofA, ofB] = [await balance(pair, pair.a), await balance(pair, turned)];
  return { signs, scales: ofB.map((scale, variable) => scale / at(ofA, variable, "variable")) };
}

function balance(
  { architecture: { graph }, frame }: Pick<FramedPair, "architecture" | "frame">,
  network: Doubles,
): Promise<Float64Array> {
  return balanceScales(toCheckpoint(graph, network, "f32"), frame.units.scales);
}
