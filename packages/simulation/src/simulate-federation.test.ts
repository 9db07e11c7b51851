import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Checkpoint, createRandom, createTensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { epsilonSpent, type PrivacyDescription } from "@isthmus/federated";
import type { DataSet } from "@isthmus/graph";
import { afterAll, describe, expect, it } from "vitest";
import type { FederationDescription, SimulatedStrategy } from "./description/federation-description.ts";
import { openFederation } from "./run/open-federation.ts";
import { beginPosition, runRound } from "./run/run-round.ts";
import { simulateFederation } from "./simulate-federation.ts";
import { readPosition, savePosition } from "./study/position-files.ts";

const folder = await mkdtemp(join(tmpdir(), "simulate-"));
afterAll(() => rm(folder, { recursive: true }));

/** Makes points around the corners of a simplex, one class each. */
function pointsOf(size: number, seed: number): DataSet {
  const random = createRandom(seed, "points");
  const [classes, width] = [4, 6];
  const values = new Float32Array(size * width);
  const labels = Int32Array.from({ length: size }, (_, i) => i % classes);
  for (let i = 0; i < values.length; i++) {
    values[i] = 0.6 * random.normal() + (i % width === (labels[Math.floor(i / width)] as number) ? 2 : 0);
  }
  return createDataSet(createTensor("f32", [size, width], values), labels, { name: `points ${seed}` });
}

const data = new Map([
  ["train", pointsOf(240, 1)],
  ["test", pointsOf(120, 2)],
]);
const engine = createOnnxRuntimeEngine();
const ports = { engine, openData: async (name: string) => data.get(name) as DataSet };
const small: FederationDescription = {
  ...{ net: "mlp:8", data: "train", evaluate: "test", clients: 6, rounds: 3, seed: 0 },
  client: { batch: 10, epochs: 3, schedule: { kind: "constant", learningRate: 0.3 } },
};
const numbersOf = async (network: Checkpoint) =>
  (await Promise.all([...network.tensors.keys()].map((name) => network.read(name)))).flatMap(
    ({ data: values }) => [...(values as Float32Array)],
  );

describe("simulateFederation()", () => {
  it("simulateFederation() learns, counts rounds and bytes, and gives the same numbers again", async () => {
    const run = await simulateFederation(small, ports);
    expect(run.accuracy).toBeGreaterThan(0.8);
    expect(run.rounds.map(({ round, updates, refused }) => [round, updates, refused])).toEqual([
      [1, 6, []],
      [2, 6, []],
      [3, 6, []],
    ]);
    const bytes = 4 * (6 * 8 + 8 + 8 * 4 + 4);
    expect(run.rounds.map(({ bytesUp, bytesDown }) => [bytesUp, bytesDown])).toEqual(
      [1, 2, 3].map((round) => [6 * round * bytes, 6 * round * bytes]),
    );
    expect(run.fairness.mean).toBeCloseTo(
      run.clients.reduce((sum, { accuracy }) => sum + accuracy, 0) / 6,
      12,
    );
    expect(run).not.toHaveProperty("failed");
    expect(await simulateFederation(small, ports)).toEqual(run);
    expect((await simulateFederation({ ...small, seed: 1 }, ports)).rounds).not.toEqual(run.rounds);
  });

  it("simulateFederation() by Poisson sampling keeps the network in a round that nobody is asked for", async () => {
    const part = { sampling: "poisson", fraction: 0.2, rounds: 10, clients: 4 } as const;
    const run = await simulateFederation({ ...small, ...part }, ports);
    expect(run.rounds).toHaveLength(10);
    const empty = run.rounds.flatMap(({ updates }, i) => (updates === 0 && i > 0 ? [i] : []));
    expect(empty.length).toBeGreaterThan(0);
    for (const i of empty) {
      expect(run.rounds[i]?.accuracy).toBe(run.rounds[i - 1]?.accuracy);
      expect(run.rounds[i]?.changeNorm).toBeNaN();
    }
  });

  it("simulateFederation() by Poisson sampling goes on from the optimiser's state after an empty round", async () => {
    const part = { sampling: "poisson", fraction: 0.2, rounds: 10, clients: 4, failures: 1 } as const;
    const strategy: SimulatedStrategy = { server: { name: "momentum", learningRate: 1 } };
    const run = await simulateFederation({ ...small, ...part, strategy }, ports);
    expect(run).not.toHaveProperty("failed");
    const isEmpty = run.rounds.map(({ updates }) => updates === 0);
    expect(isEmpty.lastIndexOf(false)).toBeGreaterThan(isEmpty.indexOf(true, isEmpty.indexOf(false)));
  });

  it("simulateFederation() refuses NaN of attackers, waits for them in its own time, and learns without them", async () => {
    const attack = { name: "nan", attackers: 2 };
    const run = await simulateFederation({ ...small, attack }, ports);
    expect(run.attackers).toHaveLength(2);
    expect(run.rounds.map(({ updates, refused }) => [updates, refused])).toEqual(
      [1, 2, 3].map(() => [4, [{ reason: "it has numbers that are not finite", count: 2 }]]),
    );
    expect(run.accuracy).toBeGreaterThan(0.7);
  });

  it("simulateFederation() is spoiled by an attack on the mean, and not with a robust rule", async () => {
    const attack = { name: "gaussian", attackers: 1, sigma: 20 };
    const mean = await simulateFederation({ ...small, attack }, ports);
    const median = await simulateFederation(
      { ...small, attack, strategy: { rule: "coordinate-median" } },
      ports,
    );
    expect(median.accuracy).toBeGreaterThan(0.75);
    expect(mean.accuracy).toBeLessThan(median.accuracy);
  });

  it("simulateFederation() flips the labels of attackers alone", async () => {
    const described = { ...small, attack: { name: "label-flip", attackers: 2 } };
    const federation = await openFederation(described, ports);
    for (const { attacker, positions, data: examples } of federation.clients.values()) {
      const labels = [...(data.get("train") as DataSet).read(0, 240).labels];
      const expected = [...positions].map((position) => labels[position] as number);
      expect([...examples.read(0, examples.size).labels]).toEqual(
        attacker ? expected.map((label) => 3 - label) : expected,
      );
    }
    await federation.close();
  });

  it("simulateFederation() loses updates, asks a fraction of the clients, and fails where too few are left", async () => {
    const run = await simulateFederation(
      { ...small, clients: 8, fraction: 0.75, lost: 0.3, rounds: 5 },
      ports,
    );
    expect(run.rounds.every(({ updates }) => updates <= 6)).toBe(true);
    expect(run.rounds.some(({ updates }) => updates < 6)).toBe(true);
    const lost = await simulateFederation({ ...small, lost: 0.99 }, ports);
    expect(lost.failed).toMatch(/round 1 was started 3 times in vain: 0 updates of the 2 of the quorum/);
  });

  it("simulateFederation() keeps the network of a round whose numbers are not finite, and ends after some", async () => {
    const strategy: SimulatedStrategy = { server: { name: "momentum", learningRate: 1e39 } };
    const run = await simulateFederation({ ...small, strategy, rounds: 5, failures: 2 }, ports);
    const reason =
      /^Cannot aggregate "layers\.\d\.\w+" as numbers must be finite: .* the result is too large/;
    expect(run.rounds.map(({ failed }) => failed)).toEqual([1, 2].map(() => expect.stringMatching(reason)));
    expect(run.failed).toMatch(/^the updates of 2 rounds in a row came to nothing: Cannot aggregate/);
    const [first, second] = run.rounds;
    expect([second?.loss, second?.accuracy]).toEqual([first?.loss, first?.accuracy]);
    expect(first?.changeNorm).toBeNaN();
    // The private account counts what failed, too.
    const privacy: PrivacyDescription = {
      ...{ clip: 5, noise: 0.5, clients: 6, delta: 0.01 },
      sampling: { kind: "all" },
    };
    const secret = await simulateFederation(
      { ...small, strategy: { ...strategy, privacy }, failures: 2 },
      ports,
    );
    const spent = (rounds: number) =>
      epsilonSpent([{ noiseMultiplier: 0.5, sampling: privacy.sampling, rounds }], 0.01);
    expect(secret.rounds.map(({ epsilon }) => epsilon)).toEqual([spent(1), spent(2)]);
  });

  it("simulateFederation() keeps layers with their clients, which fit their classes better and send less", async () => {
    const partition = { name: "label", labels: 2 };
    const shared = await simulateFederation({ ...small, partition }, ports);
    const strategy = { share: { policy: "fedper", head: "layers.1" } } as const;
    const kept = await simulateFederation({ ...small, partition, strategy }, ports);
    expect(kept.fairness.mean).toBeGreaterThan(shared.fairness.mean);
    expect(kept.rounds[0]?.bytesUp).toBeLessThan(shared.rounds[0]?.bytesUp as number);
  });

  it("simulateFederation() joins clients that begin apart if they are aligned", async () => {
    const barriers = { rounds: [1], pairs: 1 };
    const apart = { ...small, rounds: 1, client: { batch: 10, epochs: 16 }, measure: { barriers } };
    const naive = await simulateFederation({ ...apart, strategy: { start: "apart" } }, ports);
    const aligned = await simulateFederation(
      { ...apart, strategy: { start: "apart", align: "each other" } },
      ports,
    );
    expect(aligned.loss).toBeLessThan(naive.loss);
    const [before, after] = naive.barriers;
    expect([before?.aligned, after?.aligned]).toEqual([false, true]);
    expect(before?.layers.map(({ name }) => name)).toEqual(["layers.0", "layers.1"]);
    expect(after?.whole).toBeLessThan(before?.whole as number);
  });

  it.each([
    ["scaffold", { client: { scaffold: true } }],
    ["proximal", { client: { proximal: 1 } }],
    ["curriculum", { client: { curriculum: { order: "hard-first" } } }],
    ["qfedavg", { rule: { name: "qfedavg", clientLearningRate: 0.1 } }],
    ["adam", { server: { name: "adam", learningRate: 0.05 } }],
    ["nnm", { before: [{ name: "nnm", f: 1 }], rule: { name: "krum", f: 1 } }],
  ] as const)("simulateFederation() by %s differs from FedAvg, and learns", async (_, strategy) => {
    const partition = { name: "dirichlet", alpha: 0.5, least: 12 };
    const plain = await simulateFederation({ ...small, partition }, ports);
    const other = await simulateFederation({ ...small, partition, strategy: strategy as object }, ports);
    expect(other.loss).not.toBe(plain.loss);
    expect(other.accuracy).toBeGreaterThan(0.4);
  });

  it("simulateFederation() says what is not there, and what is out of range", async () => {
    const run = (part: object) => simulateFederation({ ...small, ...part }, ports);
    await expect(run({ attack: { name: "sign-flop", attackers: 1 } })).rejects.toThrow(
      /did you mean "sign-flip"/,
    );
    await expect(run({ attack: { name: "nan", attackers: 6 } })).rejects.toThrow(/fewer than the 6 clients/);
    await expect(run({ partition: { name: "iidd" } })).rejects.toThrow(/did you mean "iid"/);
    await expect(run({ fraction: 0 })).rejects.toThrow(/"fraction" must be a share in \(0, 1\]/);
    await expect(run({ rounds: 0 })).rejects.toThrow(/"rounds" must be a whole number/);
  });
});

describe("simulateFederation() with privacy", () => {
  const privacy: PrivacyDescription = {
    ...{ clip: 5, noise: 0.5, clients: 6, delta: 0.01 },
    sampling: { kind: "all" },
  };
  const run = (of: Partial<PrivacyDescription>, part: object = {}) =>
    simulateFederation({ ...small, strategy: { privacy: { ...privacy, ...of } }, ...part }, ports);

  it("simulateFederation() without noise and with a huge bound learns as from the unweighted mean", async () => {
    // Examples are dealt evenly, so that the mean by examples is the unweighted one.
    const plain = await simulateFederation(small, ports);
    const open = await run({ clip: 1e9, noise: 0 });
    expect(open.rounds.map(({ epsilon, clip }) => [epsilon, clip])).toEqual([1, 2, 3].map(() => [null, 1e9]));
    for (const [i, { loss }] of open.rounds.entries()) {
      expect(loss).toBeCloseTo(plain.rounds[i]?.loss as number, 5);
    }
  });

  it("simulateFederation() reports the epsilon of the accountant after each round, the same again", async () => {
    const sampling = { kind: "fixed-size", size: 3, population: 6 } as const;
    const first = await run({ sampling, clients: 3 }, { fraction: 0.5 });
    expect(first.rounds.map(({ epsilon, updates }) => [epsilon, updates])).toEqual(
      [1, 2, 3].map((rounds) => [epsilonSpent([{ noiseMultiplier: 0.5, sampling, rounds }], 0.01), 3]),
    );
    expect(first).not.toHaveProperty("stopped");
    expect(await run({ sampling, clients: 3 }, { fraction: 0.5 })).toEqual(first);
    const adaptive = await run({ adaptive: { learningRate: 1, countDeviation: 2 } });
    expect(new Set(adaptive.rounds.map(({ clip }) => clip)).size).toBe(3);
  });

  it("simulateFederation() ends before the round that would exceed the budget, evaluates and says so", async () => {
    const ledger = (rounds: number) => [{ noiseMultiplier: 0.5, sampling: privacy.sampling, rounds }];
    const two = epsilonSpent(ledger(2), 0.01);
    const stopped = await run({ budget: two }, { measure: { every: 5 } });
    expect(stopped.rounds).toHaveLength(2);
    expect(stopped.rounds.at(-1)?.epsilon).toBe(two);
    expect(stopped.accuracy).toBeGreaterThan(0);
    expect(stopped.stopped).toMatch(
      /has no room for another round: 2 spent \d+\.\d+, and one more would make it/,
    );
    expect(stopped).not.toHaveProperty("failed");
    await expect(run({ budget: 1 })).rejects.toThrow(/no room for another round: 0 spent 0.*raise "noise"/);
  });

  it("simulateFederation() refuses what breaks the account", async () => {
    const poisson = { kind: "poisson", probability: 0.5 } as const;
    await expect(run({ sampling: poisson })).rejects.toThrow(/write "sampling: \{ kind: all \}"/);
    await expect(run({}, { fraction: 0.5 })).rejects.toThrow(
      /asks 3 of 6 clients .* \{ kind: fixed-size, size: 3, population: 6 \}/,
    );
    const strategy = (more: object) => run({}, { strategy: { privacy, ...more } });
    await expect(strategy({ client: { scaffold: true } })).rejects.toThrow(
      /"scaffold" averages the variates/,
    );
    await expect(strategy({ start: "apart" })).rejects.toThrow(/start them "together"/);
    await expect(strategy({ rule: "coordinate-median" })).rejects.toThrow(/decides on each element/);
  });

  it("simulateFederation() by Poisson sampling has the epsilon of the accountant for its probability", async () => {
    const sampling = { kind: "poisson", probability: 0.25 } as const;
    const part = { sampling: "poisson", fraction: 0.25, rounds: 8, measure: { every: 8 } } as const;
    const first = await run({ sampling, clients: 1.5 }, part);
    expect(first.rounds.map(({ epsilon }) => epsilon)).toEqual(
      [1, 2, 3, 4, 5, 6, 7, 8].map((rounds) =>
        epsilonSpent([{ noiseMultiplier: 0.5, sampling, rounds }], 0.01),
      ),
    );
    const counts = first.rounds.map(({ updates }) => updates);
    expect(new Set(counts).size).toBeGreaterThan(2);
    // A round that nobody was asked for moves the network all the same: by its noise.
    const empty = first.rounds.filter(({ updates }) => updates === 0);
    expect(empty.length).toBeGreaterThan(0);
    for (const { changeNorm } of empty) expect(changeNorm).toBeGreaterThan(1);
    await expect(run({ sampling }, { ...part, fraction: 0.5 })).rejects.toThrow(
      /write "sampling: \{ kind: poisson, probability: 0.5 \}"/,
    );
  });

  it("simulateFederation() with noise of clients accounts for all rounds, and moves by noise", async () => {
    const local = await run({ at: "clients", noise: 0.01 });
    expect(local.rounds.map(({ epsilon }) => epsilon)).toEqual(
      [1, 2, 3].map((rounds) =>
        epsilonSpent([{ noiseMultiplier: 0.01, sampling: privacy.sampling, rounds }], 0.01),
      ),
    );
    // Also for a round that asks nobody.
    const sampled = await run(
      { at: "clients", noise: 0.01 },
      { sampling: "poisson", fraction: 0.2, rounds: 6, clients: 4 },
    );
    expect(sampled.rounds.some(({ updates }) => updates === 0)).toBe(true);
    expect(sampled.rounds.slice(0, 3).map(({ epsilon }) => epsilon)).toEqual(
      local.rounds.map(({ epsilon }) => epsilon),
    );
    const more = await run({ at: "clients", noise: 20 });
    expect(more.rounds[0]?.changeNorm).toBeGreaterThan(20 * (local.rounds[0]?.changeNorm as number));
    expect(local.accuracy).toBeGreaterThan(0.8);
  });

  it("runRound() carries bound and ledger through a file", async () => {
    const described = { ...small, strategy: { privacy: { ...privacy, adaptive: { countDeviation: 2 } } } };
    const federation = await openFederation(described, ports);
    const path = join(folder, "private.safetensors");
    const first = await runRound(federation, await beginPosition(federation));
    await savePosition(first, path);
    const read = await readPosition(path);
    await rm(path);
    expect(read?.privacy).toEqual(first.privacy);
    const [straight, resumed] = [
      await runRound(federation, first),
      await runRound(federation, read ?? first),
    ];
    expect(resumed.rounds).toEqual(straight.rounds);
    expect(resumed.privacy?.ledger).toEqual([
      { noiseMultiplier: 0.5, sampling: privacy.sampling, rounds: 2 },
    ]);
    await federation.close();
  });
});

describe("runRound()", () => {
  const strategy: SimulatedStrategy = {
    ...{ server: "momentum", share: { layers: { "layers.1": "keep" } } },
    client: { scaffold: true },
  };
  const described: FederationDescription = { ...small, strategy, partition: { name: "shards" } };

  it("runRound() gives the same network with updates in memory and on disk, and goes on from files", async () => {
    const federation = await openFederation(described, ports);
    const path = join(folder, "position.safetensors");
    let [inMemory, onDisk] = [await beginPosition(federation), await beginPosition(federation)];
    for (let round = 1; round <= 3; round++) {
      inMemory = await runRound(federation, inMemory);
      onDisk = await runRound(federation, onDisk, { folder });
      await savePosition(onDisk, path);
      const read = await readPosition(path);
      expect(read?.state).toEqual(inMemory.state);
      expect(read?.rounds).toEqual(inMemory.rounds);
      if (read !== undefined) onDisk = read;
      expect(await numbersOf(onDisk.network)).toEqual(await numbersOf(inMemory.network));
    }
    expect(await readdir(folder)).toEqual(["position.safetensors"]);
    await federation.close();
  });

  it("runRound() that was stopped goes on after the clients that are done", async () => {
    const federation = await openFederation(described, ports);
    const begin = await beginPosition(federation);
    const whole = await runRound(federation, begin);
    const stopped = new AbortController();
    const shares: number[] = [];
    const onProgress = (share: number) => {
      shares.push(share);
      if (share >= 0.5) stopped.abort();
    };
    const killed = runRound(federation, begin, { folder, signal: stopped.signal, onProgress });
    await expect(killed).rejects.toThrow(/abort/i);
    expect(await readdir(join(folder, "updates"))).toHaveLength(3);
    const resumed = await runRound(federation, begin, { folder });
    expect(resumed.state).toEqual(whole.state);
    expect(shares).toHaveLength(3);
    await federation.close();
  });
});

describe("readPosition()", () => {
  it("readPosition() of what is not there, or is another file, is undefined", async () => {
    expect(await readPosition(join(folder, "none.safetensors"))).toBeUndefined();
  });
});
