import { at, createBytesSource, createRandom, squaredNorm } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clipWeights } from "../src/privacy/clip-weights.ts";
import { openSecureSum } from "../src/secure/open-secure-sum.ts";
import { dequantizeInto, quantizeInto } from "../src/secure/quantize.ts";
import { secretOf } from "../src/secure/secure-client.ts";
import type { SecureStage } from "../src/secure/secure-server.ts";
import { assertSecureSettings, levelsOf, type SecureSettings } from "../src/secure/secure-settings.ts";
import { runSecureSum, runStages, type SecureRun, type TestClient } from "./run-secure-sum.ts";

const names = (count: number) => Array.from({ length: count }, (_, i) => `client ${i}`);

function makeRound(
  stages: readonly (SecureStage | undefined)[],
  elements: number,
): { readonly settings: SecureSettings; readonly clients: TestClient[] } {
  const random = createRandom(15, "secure sum");
  const settings: SecureSettings = {
    session: "federation 1, round 3",
    clients: names(stages.length),
    threshold: Math.floor(stages.length / 2) + 1,
    elements,
    range: 0.5,
    examplesCap: 100,
  };
  const clients = stages.map((lostAt, i) => {
    const values = Float64Array.from({ length: elements }, () => 0.2 * random.normal());
    const [clipWeight = 1] = clipWeights(
      [Math.sqrt(squaredNorm({ data: values, dtype: "f64" }))],
      i % 2 === 0 ? 1e9 : 0.3,
    );
    return { name: at(settings.clients, i), examples: 1 + random.integer(200), clipWeight, values, lostAt };
  });
  return { settings, clients };
}

/** The words that a client sends, without masks. */
function plainWords(run: SecureRun, settings: SecureSettings, client: TestClient): Uint32Array {
  const words = new Uint32Array(settings.elements);
  const key = secretOf(run.clients.get(client.name)!, "rounding");
  const { examples, clipWeight = 1 } = client;
  quantizeInto({ ...settings, examples, clipWeight, key }, 0, client.values, words);
  return words;
}

const stages: fc.Arbitrary<SecureStage | undefined> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.constantFrom<SecureStage>("keys", "shares", "masked", "reveal") },
);

describe("a secure sum", () => {
  test("is the sum of the words without masks, whoever drops out and when, while the threshold is left", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(stages, { minLength: 2, maxLength: 9 }),
        fc.integer({ min: 1, max: 40 }),
        async (lost, elements) => {
          const { settings, clients } = makeRound(lost, elements);
          const left = lost.filter((stage) => stage === undefined).length;
          if (left < settings.threshold) {
            await expect(runSecureSum(settings, clients)).rejects.toThrow(
              new RegExp(`at least ${settings.threshold} clients must be left: there are \\d+`),
            );
            return;
          }
          const run = await runSecureSum(settings, clients);
          const summed = clients.filter(({ lostAt }) => lostAt === undefined || lostAt === "reveal");
          expect(run.sum.clients).toEqual(summed.map(({ name }) => name));
          const words = new Uint32Array(elements);
          for (const client of summed) {
            for (const [i, word] of plainWords(run, settings, client).entries()) words[i]! += word;
          }
          const plain = dequantizeInto(settings, words, new Float64Array(elements));
          expect(await run.sum.sumInto(0, new Float64Array(elements))).toEqual(plain);
          // In ranges it is the same.
          const cut = Math.floor(elements / 3);
          const parts = [
            await run.sum.sumInto(0, new Float64Array(cut)),
            await run.sum.sumInto(cut, new Float64Array(elements - cut)),
          ];
          expect(parts.flatMap((part) => [...part])).toEqual([...plain]);
          const capped = summed.map(({ examples }) => Math.min(examples, settings.examplesCap));
          expect(run.sum.examples).toBe(capped.reduce((a, b) => a + b));
          expect(run.sum.unclipped).toBe(summed.filter(({ clipWeight }) => clipWeight === 1).length);
          assertNeverBoth(run);
        },
      ),
      { numRuns: 40, seed: 15 },
    );
  });

  test("is the mean weighted by examples, to the steps of rounding", async () => {
    const { settings, clients } = makeRound([undefined, "shares", undefined, undefined, "masked"], 300);
    const { sum } = await runSecureSum(settings, clients);
    const actual = await sum.sumInto(0, new Float64Array(settings.elements));
    for (let i = 0; i < settings.elements; i++) {
      let expected = 0;
      for (const { values, examples, clipWeight = 1, lostAt } of clients) {
        if (lostAt !== undefined) continue;
        const value = Math.max(-0.5, Math.min(0.5, clipWeight * values[i]!));
        expected += value * Math.min(examples / settings.examplesCap, 1);
      }
      // Each of 3 clients is rounded by less than one step.
      expect(Math.abs(actual[i]! - expected)).toBeLessThan((3 * settings.range) / levelsOf(settings));
    }
  });

  test.each(["keys", "shares", "masked", "reveal"] as const)(
    "is refused at the end of %s where too few are left, and says who is missing",
    async (stage) => {
      const { settings, clients } = makeRound([undefined, stage, stage, undefined], 3);
      await expect(runSecureSum(settings, clients)).rejects.toThrow(
        `Cannot go on with "federation 1, round 3" after "${stage}" as at least 3 clients must be left: there are 2, ` +
          'without "client 1", "client 2"; begin a new session',
      );
    },
  );

  test("shows a server words of a single update that cannot be told from random ones", async () => {
    const elements = 1 << 17;
    const { settings, clients } = makeRound([undefined, undefined, undefined], elements);
    // An update of zeros alone: all that is seen is masks.
    const zeros = clients.map((client) => ({ ...client, values: new Float64Array(elements) }));
    const { files } = await runStages(settings, zeros);
    for (const bytes of files.values()) {
      for (const lag of [1, 4]) {
        const [single, pairs] = [new Uint32Array(256), new Uint32Array(256)];
        for (let i = 0; i + lag < bytes.length; i++) {
          single[bytes[i]!]!++;
          pairs[((bytes[i]! & 15) << 4) | (bytes[i + lag]! & 15)]!++;
        }
        expect(Math.abs(deviation(single, bytes.length - lag))).toBeLessThan(4.5);
        expect(Math.abs(deviation(pairs, bytes.length - lag))).toBeLessThan(4.5);
      }
    }
  });

  test("of the same updates has other words in another session, and with other secrets", async () => {
    const { settings, clients } = makeRound([undefined, undefined], 64);
    const first = await runStages(settings, clients);
    const again = await runStages({ ...settings, session: "federation 1, round 4" }, clients);
    const others = await runStages(settings, clients, "reveal", 2);
    for (const other of [again, others]) {
      const [a, b] = [first, other].map(({ files }) => new Uint32Array(files.get("client 0")!.buffer));
      expect(a!.filter((word, i) => word === b![i]).length).toBeLessThan(3);
    }
  });

  test("notices an update of another session, a damaged count, and a file of another length", async () => {
    const { settings, clients } = makeRound([undefined, undefined, undefined], 64);
    const run = await runStages(settings, clients);
    const other = await runStages({ ...settings, session: "another" }, clients);
    const open = (bytes: Uint8Array) => {
      const files = new Map([...run.files].map(([name, file]) => [name, createBytesSource(file, name)]));
      return openSecureSum(run.server, files.set("client 1", createBytesSource(bytes, "client 1")));
    };
    await expect(open(other.files.get("client 1")!)).rejects.toThrow(/masked for another session/);
    await expect(open(run.files.get("client 1")!.subarray(4))).rejects.toThrow(
      /must have 264 bytes: it has 260/,
    );
    const damaged = run.files.get("client 1")!.slice();
    damaged[4 * 64 + 3]! ^= 128;
    await expect(open(damaged)).rejects.toThrow(/an update was damaged/);
  });
});

describe("rounding to levels", () => {
  const settings = { clients: names(3), range: 1, examplesCap: 10 };
  const round = (values: Float64Array, begin = 0) => {
    const quantization = { ...settings, examples: 10, clipWeight: 1, key: new Uint8Array(32).fill(7) };
    const words = new Uint32Array(values.length);
    const cut = quantizeInto(quantization, begin, values, words);
    return { words, cut };
  };

  test("is right in the mean, and off by less than a step", () => {
    const [step, count] = [1 / levelsOf(settings), 200_000];
    for (const part of [0.1, 0.5, 0.97, -0.3]) {
      const { words } = round(new Float64Array(count).fill(part * step));
      const values = dequantizeInto(settings, words, new Float64Array(count));
      const mean = values.reduce((a, b) => a + b) / count / step;
      // 5 deviations of the mean of draws with a deviation of at most 1/2.
      expect(Math.abs(mean - part)).toBeLessThan((5 * 0.5) / Math.sqrt(count));
      const most = values.reduce((most, value) => Math.max(most, Math.abs(value / step - part)), 0);
      expect(most).toBeLessThan(1);
    }
  });

  test("of zero is zero, and of numbers beyond the range is the range", () => {
    const { words, cut } = round(new Float64Array([0, 5, -5, 1, -1]));
    expect(cut).toBe(2);
    const top = levelsOf(settings);
    expect([...words].map((word) => word | 0)).toEqual([0, top, -top, top, -top]);
  });

  test("does not depend on ranges", () => {
    const values = Float64Array.from({ length: 50 }, (_, i) => Math.sin(i));
    const { words } = round(values);
    for (const cut of [1, 13, 49]) {
      expect([...round(values.subarray(0, cut)).words, ...round(values.subarray(cut), cut).words]).toEqual([
        ...words,
      ]);
    }
  });

  test("refuses numbers that are not finite", () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => round(new Float64Array([0, value]), 100)).toThrow(new RegExp(`element 101 is ${value}`));
    }
  });

  test("never overflows: all clients at the ends of the range are summed right", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 255 }), (count) => {
        const clients = names(count);
        expect(count * (levelsOf({ clients }) + 1)).toBeLessThan(2 ** 31);
        expect(levelsOf({ clients })).toBeGreaterThan(8_000_000);
      }),
      { seed: 15 },
    );
  });
});

describe("settings", () => {
  const { settings } = makeRound([undefined, undefined, undefined], 8);
  test.each<[string, Partial<SecureSettings>, RegExp]>([
    ["no session", { session: "" }, /session must have a name/],
    ["one client", { clients: ["a"] }, /there must be 2 to 255/],
    ["256 clients", { clients: names(256) }, /there must be 2 to 255/],
    ["a name twice", { clients: ["a", "b", "a"] }, /a name of its own/],
    ["a threshold of 1", { threshold: 1 }, /more than half of the 3 clients/],
    ["a threshold above all", { threshold: 4 }, /not in \[2, 3\]/],
    ["no range", { range: 0 }, /"range" must be a finite number above 0/],
    ["no elements", { elements: 0 }, /"elements"/],
    ["counts that overflow", { examplesCap: 2 ** 31 }, /less than 2\^32/],
  ])("with %s are refused", (_name, wrong, message) => {
    expect(() => assertSecureSettings({ ...settings, ...wrong })).toThrow(message);
  });
});

/** Checks that no client's two secrets are both among what clients revealed, not even one share of each. */
function assertNeverBoth({ server }: SecureRun): void {
  const [own, lost] = (["selfMasks", "maskKeys"] as const).map(
    (kind) => new Set(server.reveals.flatMap((message) => message[kind].map(({ of }) => of))),
  );
  expect([...own!].filter((name) => lost!.has(name))).toEqual([]);
}

/** Chi-squared of counts that should all be equal, as a number of standard deviations from its mean. */
function deviation(counts: Uint32Array, draws: number): number {
  const expected = draws / counts.length;
  let chi = 0;
  for (const count of counts) chi += (count - expected) ** 2 / expected;
  const freedom = counts.length - 1;
  return (chi - freedom) / Math.sqrt(2 * freedom);
}
