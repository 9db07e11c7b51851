import { at } from "@isthmus/core";
import { balanceScales } from "../../normalize/balance-scales.ts";
import { toCheckpoint } from "../permute-framed.ts";
import type { Doubles, FramedPair } from "../stream-frame.ts";
import { identityFactors, multiplied } from "../unit-factors.ts";

/** Gives each unit of a network whose scale is free as much norm in front of it as behind it. */
export async function leveled(
  pair: Pick<FramedPair, "architecture" | "frame">,
  network: Doubles,
): Promise<Doubles> {
  const { units } = pair.frame;
  return multiplied(units, network, { ...identityFactors(units), scales: await balance(pair, network) });
}

/**
 * Finds the scales that bring the norms in front of and behind each unit of B into the proportion that they
 * have in A.
 *
 * @param b - B, permuted
 * @returns a factor for each variable
 */
export async function levelScales(pair: Omit<FramedPair, "b">, b: Doubles): Promise<Float64Array> {
  const [ofA, ofB] = [await balance(pair, pair.a), await balance(pair, b)];
  return ofB.map((scale, variable) => scale / at(ofA, variable, "variable"));
}

function balance(
  { architecture: { graph }, frame }: Pick<FramedPair, "architecture" | "frame">,
  network: Doubles,
): Promise<Float64Array> {
  return balanceScales(toCheckpoint(graph, network, "f32"), frame.units.scales);
}
