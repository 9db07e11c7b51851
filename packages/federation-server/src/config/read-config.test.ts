import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inFreshFolders } from "../../../../test/helpers/fresh-folder.ts";
import { readFederation } from "./read-config.ts";

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

function read(text: string) {
  const path = join(folder, "digits.yml");
  writeFileSync(path, text);
  return readFederation(path);
}

describe("readFederation()", () => {
  it("fills in defaults, and takes paths from the folder of the file", async () => {
    expect(
      await read(
        "network: start.safetensors\ndeadline: 10m\nstrategy: { rule: { name: krum, f: 0 } }\nquorum: 4",
      ),
    ).toMatchObject({
      network: join(folder, "start.safetensors"),
      folder: join(folder, "digits.state"),
      tokens: join(folder, "digits.tokens.json"),
      plan: { rounds: 10, quorum: 4, deadline: 600_000 },
      strategy: { rule: { name: "krum", f: 0 } },
      ...{ host: "127.0.0.1", port: 8080, tls: null, evaluate: null },
      training: { epochs: 1, optimizer: "sgd" },
    });
  });

  it.each(["each-other", "each other", "global"])("takes `align: %s`", async (align) => {
    const { strategy } = await read(`network: a\ngraph: b\nstrategy: { align: ${align} }`);
    expect(strategy).toEqual({ align });
  });

  it("takes a strategy by the name that other tools have for it", async () => {
    expect((await read("network: a\nstrategy: fedadam")).strategy).toEqual({ server: "adam" });
    expect((await read("network: a\nstrategy: fedavg")).strategy).toEqual({});
    expect((await read("network: a")).strategy).toEqual({});
  });

  it("tells clients of the proximal term if the strategy is fedprox, and of the weight that the file names", async () => {
    const { strategy, training } = await read("network: a\nstrategy: fedprox");
    expect([strategy, training.proximal]).toEqual([{}, 0.1]);
    const file = "network: a\nstrategy: fedprox\ntraining: { epochs: 2, proximal: 0.01 }";
    expect((await read(file)).training).toMatchObject({ epochs: 2, proximal: 0.01 });
    expect((await read("network: a")).training.proximal).toBe(0);
    await expect(read("network: a\ntraining: { proximal: -1 }")).rejects.toThrow('"training.proximal"');
  });

  it("takes privacy as simulations do, and secure sums by true", async () => {
    const privacy = { clip: 1, noise: 1, clients: 3, delta: 0.01, sampling: { kind: "all" }, by: "layer" };
    expect(await read(`network: a\nstrategy: { privacy: ${JSON.stringify(privacy)} }`)).toMatchObject({
      strategy: { privacy },
      noiseSeed: null,
    });
    const { plan } = await read("network: a\nsecure: true");
    expect(plan.secure).toEqual({ threshold: 2 / 3, range: 1, examplesCap: 100_000 });
    expect((await read("network: a\nsecure: { threshold: 0.9 }")).plan.secure?.threshold).toBe(0.9);
    expect((await read("network: a\nsecure: false")).plan.secure).toBeNull();
  });

  it.each([
    ["network: a\ngraph: b\nstrategy: { align: other }", '"strategy.align"'],
    ["network: a\nsecure: true\nstrategy: { rule: coordinate-median }", "compares single updates"],
    ["network: a\nsecure: true\nlimits: { norm: 1 }", '"limits.norm" measures single updates'],
    ["network: a\nsecure: true\nlate: accept", "masks cancel among the clients of one round"],
    [
      "network: a\nstrategy: { privacy: { clip: 1, noise: 1, clients: 2, delta: 0.1, sampling: { kind: poisson, probability: 0.1 } } }",
      "no chance that the account knows",
    ],
    [
      "network: a\nstrategy: { privacy: { clip: 1, noise: 1, clients: 2, delta: 0.1, budget: 0.1, sampling: { kind: all } } }",
      "no room for another round",
    ],
    ["rounds: 3", '"network" is missing'],
    ["network: a\nround: 3", 'unknown key "round"; did you mean "rounds"?'],
    ["network: a\nrounds: 0", 'digits.yml:2: "rounds"'],
    ["network: a\nrounds: many", '"rounds" must be'],
    ["network: a\ndeadline: soon", '"deadline"'],
    ["network: a\nstrategy: { rule: krumm }", 'did you mean "krum"'],
    ["network: a\nstrategy: fedadm", 'did you mean "fedadam"'],
    ["network: a\nstrategy: { ruel: krum }", 'unknown key "strategy.ruel"'],
    ["network: a\nstrategy: { align: global }", "needs the graph"],
    ["network: a\nevaluate: mnist:test", "needs the graph"],
    ["network: a\nquorum: 2\nstrategy: { rule: { name: krum, f: 1 } }", 'set "quorum" to'],
    ["network: a\nquorum: 3\nbuffer: 2", '"buffer" must be at least the quorum'],
    ["network: [", "must be YAML: digits.yml:1"],
    ["network: a\nrounds: 3\nrounds: 4", "a key may be given once: digits.yml:3 gives rounds again"],
    ["network: a\nlimits: { bytes: 1, bytes: 2 }", "digits.yml:2 gives bytes again"],
    ["<<: 3\nnetwork: a", "must be YAML: digits.yml: Merge sources"],
    ["network: a\nlimits: { bytes: -1 }", '"limits.bytes"'],
    ["network: a\nlimits: { norm: far }", '"limits.norm" must be a number above 0, "auto" or "none"'],
    ["network: a\nlimits: { norm: -1 }", '"limits.norm" must be above 0'],
    ["network: a\nlimits: { byte: 1 }", 'unknown key "limits.byte"'],
    [`network: ${"a".repeat(200_000)}`, "may have 100000 characters"],
    ["a: &a [1]\nnetwork: *a", "without aliases: digits.yml"],
  ])("refuses %j", async (text, message) => {
    await expect(read(text)).rejects.toThrow(message);
  });
});
