import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { openCheckpoint, toFloat64 } from "@isthmus/core";
import { epsilonSpent, type PrivacyDescription } from "@isthmus/federated";
import { afterEach, describe, expect, it } from "vitest";
import { doubtAboutClients } from "../src/config/assert-served-privacy.ts";
import { takePart } from "./plain-client.ts";
import { makeFederation, makeUpdate, type SmallFederation } from "./small-federation.ts";
import { createServing, type ServedSmall } from "./start-server.ts";

const serving = createServing();
afterEach(() => serving.close());

const privacy: PrivacyDescription = {
  ...{ clip: 0.5, noise: 0.5, clients: 3, delta: 0.01, sampling: { kind: "all" } },
  adaptive: { countDeviation: 2 },
};
/** A round takes long on a machine that has other things to do. */
const PATIENT = { timeout: 20_000, interval: 10 };
const spentBy = (rounds: number) =>
  epsilonSpent([{ noiseMultiplier: 0.5, sampling: privacy.sampling, rounds }], 0.01);

/** Makes a private federation whose noise repeats. */
async function makePrivate(more: Partial<PrivacyDescription> = {}): Promise<SmallFederation> {
  const small = await makeFederation({ plan: { rounds: 5 }, privacy: { ...privacy, ...more } });
  return { ...small, config: { ...small.config, noiseSeed: 5 } };
}

const takeAll = ({ tokens }: SmallFederation, url: () => string) =>
  Promise.all(
    [...tokens].map(([name, token]) =>
      takePart(url, token, (round, network) => makeUpdate(name, round, network)),
    ),
  );

/** Returns the displacement of a network from the one that the federation began with. */
async function moved({ config }: SmallFederation, path: string): Promise<number[]> {
  const [before, after] = [await openCheckpoint(config.network), await openCheckpoint(path)];
  const differences: number[] = [];
  for (const name of before.tensors.keys()) {
    const [x, y] = [await before.read(name), await after.read(name)].map(({ data, dtype }) =>
      toFloat64(data, dtype),
    ) as [Float64Array, Float64Array];
    for (let i = 0; i < x.length; i++) differences.push((y[i] as number) - (x[i] as number));
  }
  await Promise.all([before.close(), after.close()]);
  return differences;
}

describe("a private federation", () => {
  it("is doubted at its start if its divisor is far more than the clients that there are", async () => {
    const { config, remove } = await makePrivate({ clients: 30 });
    remove();
    expect(doubtAboutClients(config, 3)).toMatch(
      /"clients" of the privacy is 30, .* there are 3: .* 10 times less far/,
    );
    expect(doubtAboutClients(config, 20)).toBeUndefined();
    expect(doubtAboutClients({ ...config, plan: { ...config.plan, quorum: 20 } }, 3)).toBeUndefined();
  });

  it("stops at its budget, the same after a restart, and tells nothing of single clients", async () => {
    const whole = await makePrivate({ budget: spentBy(2) });
    const first = await serving.reopen(whole);
    await takeAll(whole, () => first.server.url);
    const { status, history, stopped, reason } = await first.server.finished;
    expect([status, history.length, reason]).toEqual(["finished", 2, null]);
    expect(stopped).toMatch(/no room for another round: 2 spent \d+\.\d+, and one more would make it/);
    expect(history.map((record) => record.privacy?.epsilon)).toEqual([spentBy(1), spentBy(2)]);
    expect(history[1]?.privacy?.clip).toBe(history[0]?.privacy?.next.clip);
    expect(history[1]?.privacy?.clip).not.toBe(0.5);

    const restarted = await makePrivate({ budget: spentBy(2) });
    let server: ServedSmall | undefined;
    const all = takeAll(restarted, () => server?.server.url ?? "http://127.0.0.1:1");
    server = await serving.reopen(restarted);
    await expect.poll(() => server?.server.state.history.length, PATIENT).toBeGreaterThan(0);
    await server.server.close();
    server = await serving.reopen(restarted);
    await all;
    expect((await server.server.finished).network).toBe(first.server.state.network);
    expect(server.server.state.history.at(-1)?.privacy).toEqual(history[1]?.privacy);

    const summary = await (await first.client("ada").request("GET", "/v1/summary")).json();
    expect(summary).toMatchObject({
      privacy: { epsilon: spentBy(2), budget: spentBy(2), delta: 0.01, at: "server" },
      stopped,
      history: [
        { epsilon: spentBy(1), examples: null, trainingLoss: null },
        { epsilon: spentBy(2), examples: null },
      ],
    });
    const metrics = await (await first.client("ada").request("GET", "/metrics")).text();
    expect(metrics).toContain(`isthmus_federation_privacy_epsilon ${spentBy(2)}`);
    for (const small of [whole, restarted]) small.remove();
  });

  it("counts a round whose numbers are not finite as spent, also over a restart", async () => {
    const failing = async (failures: number) => {
      const small = await makePrivate({ budget: spentBy(2) });
      const { config } = small;
      const strategy = { ...config.strategy, server: { name: "momentum", learningRate: 1e41 } };
      return { ...small, config: { ...config, strategy, plan: { ...config.plan, failures } } };
    };
    const small = await failing(3);
    let served = await serving.reopen(small);
    const all = takeAll(small, () => served.server.url);
    await expect.poll(() => served.server.state.history.length, PATIENT).toBeGreaterThan(0);
    await served.server.close();
    served = await serving.reopen(small);
    await all;
    const { status, stopped, history, network, initial } = await served.server.finished;
    expect([status, network]).toEqual(["finished", initial]);
    expect(stopped).toMatch(/no room for another round: 2 spent/);
    expect(history.map(({ failed, privacy: spent }) => [failed, spent?.epsilon, spent?.next.clip])).toEqual(
      [1, 2].map((rounds) => [expect.stringMatching(/too large; [^;]*$/), spentBy(rounds), 0.5]),
    );
    // Where rounds failed until the federation does, it has failed and was not stopped.
    const other = await failing(2);
    served = await serving.reopen(other);
    await takeAll(other, () => served.server.url);
    expect(await served.server.finished).toMatchObject({ status: "failed", stopped: null });
    for (const { remove } of [small, other]) remove();
  });

  it("keeps neither loss nor metrics of a client, and draws its noise from a file that others cannot read", async () => {
    const small = await makeFederation({ plan: { rounds: 1 }, privacy });
    const federation = await serving.reopen(small);
    const [ada] = [federation.client("ada")];
    for (const name of small.tokens.keys()) await federation.client(name).task();
    const { network } = await ada.task(5);
    const body = await makeUpdate("ada", 1, await ada.model(network));
    await ada.upload(body);
    expect((await ada.send(1, body, { loss: 0.5, metrics: { accuracy: 1 } })).status).toBe(200);
    const [update] = federation.server.state.updates;
    expect(update).toEqual({ client: "ada", round: 1, hash: body.hash, examples: 100 });
    const secret = join(small.config.folder, "noise.secret");
    expect([readFileSync(secret).length, statSync(secret).mode & 0o777]).toEqual([32, 0o600]);
    small.remove();
  });

  it("clips each layer to its part of the bound", async () => {
    const small = await makePrivate({ noise: 0, by: "layer", clip: 0.2, ...{ adaptive: undefined } });
    const federation = await serving.reopen({
      ...small,
      config: { ...small.config, plan: { ...small.config.plan, rounds: 1 } },
    });
    await takeAll(small, () => federation.server.url);
    const { history } = await federation.server.finished;
    expect(history[0]?.privacy).toMatchObject({ epsilon: null, deviation: 0, clip: 0.2 });
    const change = await moved(small, federation.server.network());
    // Two layers, each update of which is far longer than 0.2 / sqrt(2): the mean is within that, too.
    const norms = [change.slice(0, 144), change.slice(144)].map((layer) => Math.hypot(...layer));
    for (const norm of norms) {
      expect(norm).toBeLessThan(0.2 / Math.SQRT2 + 1e-6);
      expect(norm).toBeGreaterThan(0.05);
    }
    small.remove();
  });

  it.each<[string, object, RegExp]>([
    ["sampling", { privacy: { ...privacy, sampling: { kind: "poisson", probability: 0.5 } } }, /kind: all/],
    ["a rule", { privacy, rule: "krum:f=1" }, /"krum" chooses by distances/],
    ["no room", { privacy: { ...privacy, budget: 0.1 } }, /no room for another round.*raise "noise"/],
  ])("refuses %s, with the reason", async (_, strategy, message) => {
    const small = await makeFederation();
    const opened = serving.reopen({ ...small, config: { ...small.config, strategy } });
    await expect(opened).rejects.toThrow(message);
    small.remove();
  });
});
