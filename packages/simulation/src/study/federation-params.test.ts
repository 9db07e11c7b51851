import { createTensor, InputError } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withOtherType, withStrangeKey } from "../../../../test/helpers/mutate-json.ts";
import type { SimulationDescription } from "../description/simulation-description.ts";
import { assertFederationParams } from "./federation-params.ts";
import { planSimulation } from "./run-simulation.ts";

const labels = Int32Array.from({ length: 80 }, (_, i) => i % 2);
const data = createDataSet(createTensor("f32", [80, 3], new Float32Array(240)), labels, { name: "d" });

/** Every option of a federation, at least once. */
const EVERYTHING: SimulationDescription = {
  title: "Everything",
  federation: {
    ...{ net: "mlp:4", data: "d", evaluate: "d", clients: 6, rounds: 3, failures: 2, lost: 0.1 },
    loss: "cross-entropy",
    client: {
      ...{ epochs: 2, batch: 8, proximal: 0.1, scaffold: false },
      optimizer: { kind: "sgd", momentum: 0.5, nesterov: true, decayExcept: ["*.bias"] },
      schedule: { kind: "step", learningRate: 0.1, every: 2, factor: 0.5 },
      curriculum: { order: "easy-first", pacing: "root", start: 0.3, full: 0.7 },
      wasserstein: { gamma: 1, steps: 2, stepSize: 0.1 },
    },
    measure: { every: 2, norms: false, barriers: { rounds: [1, 3], pairs: 2 } },
  },
  partitions: { even: { name: "iid" }, skewed: { name: "dirichlet", alpha: 0.5 } },
  strategies: {
    plain: {},
    robust: {
      ...{ rule: { name: "krum", f: 1 }, before: ["nnm:f=1", { name: "nnm", f: 1 }], clip: 3 },
      ...{ server: { name: "adam", learningRate: 0.1 }, align: "each other", start: "apart" },
      share: { policy: "all", layers: { "*": "share" }, statistics: "average" },
      client: { epochs: 1 },
    },
    private: {
      privacy: {
        ...{ clip: 1, noise: 1, clients: 6, sampling: { kind: "all" }, delta: 0.01, budget: 50 },
        ...{ adaptive: { quantile: 0.5, learningRate: 0.2, countDeviation: 1 }, by: "network", at: "server" },
      },
    },
  },
  attacks: { none: null, flip: { name: "sign-flip", attackers: 1 }, alie: { name: "alie", attackers: 2 } },
  seeds: "0..1",
};

const { tasks } = await planSimulation(EVERYTHING, { engine: "none", openData: async () => data });
/** Parameters as another machine reads them. */
const PARAMS = tasks.map(({ params }) => JSON.parse(JSON.stringify(params)) as object);
const changed = (change: object) => {
  const { federation, ...rest } = PARAMS[0] as { readonly federation: object };
  return () => assertFederationParams({ ...rest, federation: { ...federation, ...change } });
};

describe("assertFederationParams()", () => {
  it("assertFederationParams() takes parameters of every planned federation as they come from another machine", () => {
    expect(PARAMS).toHaveLength(2 * 3 * 3 * 2);
    for (const params of PARAMS) assertFederationParams(params);
  });

  it("assertFederationParams() refuses parameters of which any part has another type", () => {
    const spoilt = fc
      .constantFrom(...PARAMS)
      .chain(withOtherType)
      // Without a length of the step, one is chosen.
      .filter(
        ({ path, value }) =>
          !(path.at(-1) === "stepSize" && JSON.stringify(value).includes('"stepSize":null')),
      );
    fc.assert(
      fc.property(spoilt, ({ value }) => {
        expect(() => assertFederationParams(value)).toThrow(InputError);
      }),
      { numRuns: 2000 },
    );
  });

  it("assertFederationParams() refuses parameters with a key more anywhere", () => {
    fc.assert(
      fc.property(fc.constantFrom(...PARAMS).chain(withStrangeKey), ({ value }) => {
        expect(() => assertFederationParams(value)).toThrow(InputError);
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    [{ clients: 1e9 }, '"params.federation.clients" must be at most 1000000: it is 1000000000'],
    [{ rounds: 0 }, '"params.federation.rounds" must be at least 1: it is 0'],
    [{ net: "mlp:0" }, '"params.federation.net" must name a network of the zoo: Cannot'],
    [
      { strategy: { rule: 3 } },
      '"params.federation.strategy.rule" must be a name, or { name } with parameters: it is 3',
    ],
    [
      { strategy: { rule: "krumm" } },
      'Cannot find "krumm" as there is no aggregation rule of that name: did you mean "krum"?',
    ],
    [{ strategy: { rule: { name: "krum", g: 1 } } }, 'Cannot aggregate by krum as there is no parameter "g"'],
    [
      { strategy: { server: { name: "adam", toString: 1 } } },
      'Cannot step the server by adam as there is no parameter "toString"',
    ],
    [
      { partition: { name: "dirichlet", alpha: -1 } },
      'Cannot divide examples by dirichlet as "alpha" must be',
    ],
    [
      { attack: { name: "sign-flip", attackers: 6 } },
      '"attackers" must be fewer than the 6 clients: there are 6',
    ],
    [
      { client: { optimizer: { kind: "adm" } } },
      '"params.federation.client.optimizer.kind" must be one of sgd',
    ],
  ])("assertFederationParams() says what of a federation with %j does not fit", (change, message) => {
    expect(changed(change)).toThrow('Cannot run a task of kind "federation" as its parameters must fit: ');
    expect(changed(change)).toThrow(message);
  });
});
