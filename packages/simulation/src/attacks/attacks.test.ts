import { readFileSync } from "node:fs";
import { createRandom } from "@isthmus/core";
import { resolveParameters } from "@isthmus/merging";
import { describe, expect, it } from "vitest";
import { ATTACKS } from "../attacks.ts";
import { largestUnseen } from "./little-is-enough.ts";
import { normalQuantile } from "./normal-quantile.ts";

interface Golden {
  readonly cases: readonly {
    readonly attack: string;
    readonly parameters: Readonly<Record<string, number>>;
    readonly honest: readonly (readonly number[])[];
    readonly sent: readonly number[];
  }[];
}

const { cases } = JSON.parse(
  readFileSync(new URL("../../test/golden/attacks.json", import.meta.url), "utf8"),
) as Golden;

/** Returns what attackers send. */
function attack(
  name: string,
  honest: readonly (readonly number[])[],
  given: Readonly<Record<string, number>> = {},
  attackers = 1,
): Float64Array {
  const one = ATTACKS.get(name);
  if (one?.kind !== "update") throw new Error(`there is no attack ${name}`);
  const parameters = resolveParameters(name, one.parameters, given, { tensor: "", networks: 1 });
  const out = new Float64Array(honest[0]?.length ?? 0);
  const random = createRandom(0, name);
  one.attackInto({ honest: honest.map((row) => Float64Array.from(row)), attackers, random }, parameters, out);
  return out;
}

describe("ATTACKS", () => {
  it.each(cases)("attack $attack $parameters sends what byzfl 0.0.11 does", (golden) => {
    const sent = attack(golden.attack, golden.honest, golden.parameters);
    expect(sent.length).toBe(golden.sent.length);
    for (const [i, value] of golden.sent.entries()) expect(sent[i]).toBeCloseTo(value, 12);
  });

  it("attack alie without tau moves the mean by as much as a majority does not see", () => {
    // 16 honest and 4 attackers: 7 honest ones must be further out, z is the quantile of 9 / 16.
    expect(largestUnseen(20, 4)).toBeCloseTo(0.15731068461017073, 8);
    expect(attack("alie", [[0], [2]], { tau: 0 }, 1)[0]).toBeCloseTo(1, 12);
    const honest = Array.from({ length: 16 }, (_, i) => [i]);
    const [moved = Number.NaN] = attack("alie", honest, { tau: 0 }, 4);
    expect(moved).toBeCloseTo(7.5 + 0.15731068461017073 * Math.sqrt(22.666666666666668), 7);
  });

  it("attack alie of one honest client is that client, as it has no deviation", () => {
    expect([...attack("alie", [[3, -1]])]).toEqual([3, -1]);
  });

  it("attack gaussian has the mean and the deviation that it is given, and the same numbers again", () => {
    const zeros = [new Array<number>(20_000).fill(0)];
    const sent = attack("gaussian", zeros, { mu: 2, sigma: 3 });
    const mean = sent.reduce((sum, value) => sum + value, 0) / sent.length;
    const variance = sent.reduce((sum, value) => sum + (value - mean) ** 2, 0) / sent.length;
    expect(Math.abs(mean - 2)).toBeLessThan(0.1);
    expect(Math.abs(Math.sqrt(variance) - 3)).toBeLessThan(0.1);
    expect(attack("gaussian", zeros, { mu: 2, sigma: 3 })).toEqual(sent);
  });

  it("attack nan sends no number, and mimic refuses a client that is not there", () => {
    expect([...attack("nan", [[1, 2]])]).toEqual([Number.NaN, Number.NaN]);
    expect(() => attack("mimic", [[1], [2]], { client: 2 })).toThrow(/below the 2 honest clients: it is 2/);
  });

  it("attack label-flip says the classes in reverse", () => {
    const flip = ATTACKS.get("label-flip");
    const flipped = [0, 1, 9].map((label) => flip?.kind === "data" && flip.relabel(label, 10, {}));
    expect(flipped).toEqual([9, 8, 0]);
  });
});

describe("normalQuantile()", () => {
  it.each([
    // From scipy.stats.norm.ppf.
    [0.5, 0],
    [0.975, 1.959963984540054],
    [0.01, -2.3263478740408408],
    [1e-10, -6.361340902404056],
    [0.7, 0.5244005127080407],
  ])("normalQuantile(%f) is %f", (share, quantile) => {
    expect(Math.abs(normalQuantile(share) - quantile)).toBeLessThan(2e-8);
  });
});
