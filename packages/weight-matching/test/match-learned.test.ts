import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Checkpoint,
  convertData,
  createCheckpoint,
  createTensor,
  entry,
  openCheckpoint,
  saveCheckpoint,
  type Tensor,
} from "@isthmus/core";
import { createTextDataSet } from "@isthmus/data";
import { bindWeights } from "@isthmus/graph";
import { discoverSymmetries, verifyAlignment } from "@isthmus/symmetry";
import { align, matchLearned } from "@isthmus/weight-matching";
import { parseNetwork } from "@isthmus/zoo";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { distance } from "../../../test/helpers/distance.ts";
import { markovText } from "../../../test/helpers/markov-text.ts";
import { rotaryNetwork } from "../../../test/helpers/rotary-networks.ts";
import { smallMlp } from "../../../test/helpers/small-networks.ts";
import { streamNetwork } from "../../../test/helpers/stream-networks.ts";

import { EXAMPLES, engine, examplesFor, networkOf } from "./learned-networks.ts";

describe("matchLearned()", () => {
  test("takes all examples in a step where there are fewer than it would, and says so", async () => {
    const graph = streamNetwork("layer");
    const symmetries = await discoverSymmetries({ graph, engine });
    const data = examplesFor(graph);
    const notes: string[] = [];
    const run = async (batchSize: number) => {
      const pair = [networkOf(graph, 1), networkOf(graph, 2)] as const;
      const options = { seed: 0, steps: 2, batchSize, onNote: (text: string) => notes.push(text) };
      const { transform } = await matchLearned({ graph, engine, symmetries }, pair, data, options);
      return transform(pair[1]);
    };
    expect(await distance(await run(EXAMPLES), await run(1000))).toBe(0);
    expect(notes).toEqual([expect.stringMatching(/^There are 64 examples .* not 1000$/)]);
  });

  test("leaves out a stream with a gain of 0 in either network, says so, and goes on with the heads", async () => {
    const graph = streamNetwork("layer");
    const symmetries = await discoverSymmetries({ graph, engine });
    const withoutGain = async (network: Checkpoint) => {
      const weights = await bindWeights(graph, network);
      entry(weights, "norm2.weight", "gain").data[3] = 0;
      return createCheckpoint(weights);
    };
    const [a, b] = [networkOf(graph, 1), networkOf(graph, 2)];
    for (const pair of [[await withoutGain(a), b] as const, [a, await withoutGain(b)] as const]) {
      const notes: string[] = [];
      const options = { seed: 0, steps: 2, batchSize: 16, onNote: (text: string) => notes.push(text) };
      const { aligned } = await align({ graph, engine }, pair, {
        ...{ symmetries, data: examplesFor(graph), method: "learned" as const },
        ...options,
      });
      const { match } = aligned[0] ?? {};
      expect(match).toMatchObject({ dropped: [{ name: "embed", node: "norm2.weight" }] });
      expect(match).toHaveProperty("spaces", { invertible: 4 });
      expect(notes).toEqual([expect.stringMatching(/^embed is not mixed, as .*element 3 is 0/)]);
      expect(aligned[0]?.summary.verified.passed).toBe(true);
    }
  });

  describe("of two networks", () => {
    const graph = streamNetwork("layer");
    const data = examplesFor(graph);
    const [a, b] = [networkOf(graph, 1), networkOf(graph, 2)];
    const options = { seed: 0, steps: 20, batchSize: 16, learningRate: 0.02 };
    const run = async (extra: object = {}) => {
      const symmetries = await discoverSymmetries({ graph, engine });
      return matchLearned({ graph, engine, symmetries }, [a, b], data, { ...options, ...extra });
    };
    let learned: Awaited<ReturnType<typeof run>>;
    beforeAll(async () => {
      learned = await run();
    });

    test("learns a lower loss half-way than the closed form, and keeps what B computes", async () => {
      const { objective, start, transform } = learned;
      const best = Math.max(start.closedForm, start.descent);
      expect(objective.after).toBeGreaterThan(best);
      const moved = await transform(b);
      expect(await verifyAlignment({ graph, engine }, [b, moved], { seed: 3 })).toMatchObject({
        passed: true,
      });
      const typesOf = ({ tensors }: Checkpoint) =>
        [...tensors].map(([name, { dtype, shape }]) => [name, dtype, shape]);
      expect(typesOf(moved)).toEqual(typesOf(b));
      // The path keeps A's norms.
      expect((await moved.read("norm1.weight")).data).toEqual((await a.read("norm1.weight")).data);
    });

    test("gives the same bytes for the same seed", async () => {
      const again = await run();
      expect(await distance(await learned.transform(b), await again.transform(b))).toBe(0);
    });

    describe("with a state", () => {
      let folder: string;
      let statePath: string;
      beforeAll(() => {
        folder = mkdtempSync(join(tmpdir(), "isthmus-learned-"));
        statePath = join(folder, "b.state.safetensors");
      });
      afterAll(() => rmSync(folder, { recursive: true }));

      /** Learns until a step, and is stopped there. */
      const stopAt = async (last: number, extra: object = {}) => {
        const controller = new AbortController();
        const onProgress = ({ step }: { readonly step: number }) => {
          if (step === last) controller.abort();
        };
        const stopped = run({ statePath, signal: controller.signal, onProgress, ...extra });
        await expect(stopped).rejects.toMatchObject({ name: "AbortError" });
      };

      test("goes on where it was stopped, to the same bytes", async () => {
        await stopAt(7);
        await stopAt(13);
        const [notes, made] = [[] as string[], [] as number[]];
        const onNote = (text: string) => notes.push(text);
        const again = await run({
          statePath,
          onNote,
          onProgress: ({ step }: { step: number }) => made.push(step),
        });
        expect(made).toEqual(Array.from({ length: 7 }, (_, i) => 14 + i));
        expect(notes).toEqual([expect.stringMatching(/^Going on with .*: 13 steps are made$/)]);
        expect(again.objective).toEqual(learned.objective);
        expect(again.start).toEqual(learned.start);
        expect(await distance(await learned.transform(b), await again.transform(b))).toBe(0);
        // What was learned whole is there, too, until the result is saved.
        const whole = await run({ statePath, onProgress: () => expect.unreachable("a step was made") });
        expect(await distance(await learned.transform(b), await whole.transform(b))).toBe(0);
      });

      test.each([
        ["places are drawn", { at: "sampled" }],
        ["steps are orthogonal", { rule: "orthogonal" }],
        // Steps that are large enough to move units of so small a network.
        ["units are moved", { units: "straight-through", learningRate: 0.5 }],
        ["both are", { at: "sampled", units: "straight-through", learningRate: 0.5 }],
      ])("goes on to the same bytes where %s, too", async (_, choice) => {
        rmSync(statePath, { force: true });
        const whole = await run(choice);
        const moved = await whole.transform(b);
        expect(await distance(await learned.transform(b), moved)).toBeGreaterThan(0);
        await stopAt(11, choice);
        await stopAt(12, choice);
        const again = await run({ ...choice, statePath });
        expect(again.objective).toEqual(whole.objective);
        expect(again.moved).toBe(whole.moved);
        expect(whole.moved > 0).toBe("units" in choice);
        expect(await distance(moved, await again.transform(b))).toBe(0);
        expect(whole.objective.after).toBeGreaterThan(whole.start.closedForm);
        expect(await verifyAlignment({ graph, engine }, [b, moved], { seed: 3 })).toMatchObject({
          passed: true,
        });
      });

      test("goes on from the last steps that were written where it is killed", async () => {
        rmSync(statePath, { force: true });
        const copy = join(folder, "copy.state.safetensors");
        const keep = ({ step }: { readonly step: number }) => {
          // The state of step 10 is written behind the report of step 10.
          if (step === 12) copyFileSync(statePath, copy);
        };
        await run({ statePath, saveEvery: 5, onProgress: keep });
        const made: number[] = [];
        const onProgress = ({ step }: { readonly step: number }) => void made.push(step);
        const again = await run({ statePath: copy, onProgress });
        expect(made[0]).toBe(11);
        expect(await distance(await learned.transform(b), await again.transform(b))).toBe(0);
      });

      test("diverges at the same step where it was stopped before, and keeps the same", async () => {
        const wild = { learningRate: 1e6 };
        const plain = await run(wild);
        const last = (plain.diverged?.step ?? 0) - 1;
        expect(last).toBeGreaterThan(0);
        rmSync(statePath, { force: true });
        await stopAt(last, wild);
        const again = await run({ ...wild, statePath });
        expect(again.diverged).toEqual(plain.diverged);
        expect(await distance(await plain.transform(b), await again.transform(b))).toBe(0);
      });

      test("starts anew where options have changed, and says so", async () => {
        rmSync(statePath, { force: true });
        await stopAt(3, { seed: 1 });
        const notes: string[] = [];
        const again = await run({ statePath, onNote: (text: string) => notes.push(text) });
        expect(notes).toEqual([
          expect.stringMatching(/^Starting anew .*state\.safetensors", as this has changed: seed$/),
        ]);
        expect(await distance(await learned.transform(b), await again.transform(b))).toBe(0);
        await stopAt(3, { seed: 1 });
        const others = await run({
          statePath,
          steps: 2,
          heads: "orthogonal",
          onNote: (text: string) => notes.push(text),
        });
        expect(others.steps).toBe(2);
        expect(notes[1]).toMatch(/has changed: .*, .*, .*$/);
      });

      test("learns texts in smaller batches and larger steps unless told otherwise", async () => {
        rmSync(statePath, { force: true });
        const text = createTextDataSet(markovText(1500, 0), { context: 8 });
        const { graph: gpt, initialize } = parseNetwork("gpt:d1:w8:h1:c8", text);
        const symmetries = await discoverSymmetries({ graph: gpt, engine });
        const pair = [initialize(0), initialize(1)] as const;
        await matchLearned({ graph: gpt, engine, symmetries }, pair, text, { seed: 0, steps: 1, statePath });
        const state = await openCheckpoint(statePath);
        const { run: learnedBy } = JSON.parse(state.metadata["isthmus-learned-alignment"] ?? "{}");
        expect(learnedBy).toMatchObject({ batchSize: 16, learningRate: 0.02, steps: 1 });
        await state.close();
      });

      test("leaves a file that is no state", async () => {
        writeFileSync(statePath, "notes");
        await expect(run({ statePath })).rejects.toThrow(
          /^Cannot resume from ".*b\.state\.safetensors" as .* remove it to begin anew$/,
        );
        expect(readFileSync(statePath, "utf8")).toBe("notes");
        await saveCheckpoint(b, statePath, { overwrite: true });
        await expect(run({ statePath })).rejects.toThrow(
          /must be a state of learned alignment: .* begin anew$/,
        );
      });
    });

    test("keeps heads orthogonal if asked", async () => {
      const { spaces } = await run({ heads: "orthogonal", steps: 2 });
      expect(spaces).toEqual({ orthogonal: 4, "orthogonal-keeping-ones": 1 });
    });

    test("moves units only where asked to", async () => {
      expect(learned.moved).toBe(0);
      expect((await run({ units: "straight-through", learningRate: 0.5 })).moved).toBeGreaterThan(0);
    });

    test("ends early where the loss is not finite, says where, and keeps the best", async () => {
      const { diverged, objective, start, steps } = await run({ learningRate: 1e6 });
      expect(diverged?.step).toBe(steps + 1);
      expect(objective.after).toBeGreaterThanOrEqual(Math.max(start.closedForm, start.descent));
      expect(learned.diverged).toBeNull();
    });

    test("is what align() does of a pair with data, proved and with the names of B", async () => {
      const { networks, aligned } = await align({ graph, engine }, [a, b], { data, ...options });
      expect(aligned[0]?.summary).toMatchObject({ method: "learned", verified: { passed: true } });
      expect(networks[0]).toBe(a);
      expect(await distance(networks[1] as Checkpoint, await learned.transform(b))).toBe(0);
    });

    test("leaves alone what is aligned already", async () => {
      const symmetries = await discoverSymmetries({ graph, engine });
      const same = await matchLearned({ graph, engine, symmetries }, [a, a], data, { ...options, steps: 0 });
      expect(await distance(a, await same.transform(a))).toBeLessThan(1e-5);
      expect(same.objective.after).toBeCloseTo(same.objective.before, 5);
    });

    test("proves networks of 16 bits in 32 bits, and within what rounding changes as they are", async () => {
      const narrow = async (network: Checkpoint) =>
        createCheckpoint(
          new Map(
            await Promise.all(
              [...network.tensors].map(async ([name, { shape }]): Promise<[string, Tensor]> => {
                const { data: values } = await network.read(name);
                const stored = convertData(values, "f32", "bf16");
                return [name, createTensor("bf16", shape, stored)];
              }),
            ),
          ),
        );
      const pair = [await narrow(a), await narrow(b)] as const;
      const { networks, aligned } = await align({ graph, engine }, pair, {
        method: "learned",
        data,
        ...options,
      });
      expect(aligned[0]?.summary.verified.passed).toBe(true);
      expect(networks[1]?.tensors.get("q.weight")?.dtype).toBe("bf16");
    });

    test("names a weight that is not finite", async () => {
      const symmetries = await discoverSymmetries({ graph, engine });
      const weights = new Map(await bindWeights(graph, b));
      weights.set("q.bias", createTensor("f32", [6], new Float32Array(6).fill(Number.NaN)));
      const broken = matchLearned(
        { graph, engine, symmetries },
        [a, createCheckpoint(weights)],
        data,
        options,
      );
      await expect(broken).rejects.toThrow(/"q\.bias".*finite/);
    });

    test("stops when told to, and refuses options and data that do not fit", async () => {
      await expect(run({ signal: AbortSignal.abort() })).rejects.toMatchObject({ name: "AbortError" });
      await expect(run({ steps: -1 })).rejects.toThrow(/"steps" must be/);
      await expect(run({ learningRate: 0 })).rejects.toThrow(
        /"learningRate" must be a number above 0: it is 0/,
      );
      await expect(run({ rule: "any" })).rejects.toThrow(
        /"rule" must be one of adam, orthogonal: it is "any"/,
      );
      await expect(run({ units: "free" })).rejects.toThrow(/"units" must be one of fixed, straight-through/);
      await expect(run({ at: "end" })).rejects.toThrow(/"at" must be one of half, sampled: it is "end"/);
      await expect(run({ heads: "any" })).rejects.toThrow(/"heads" must be one of invertible, orthogonal/);
      const symmetries = await discoverSymmetries({ graph, engine });
      const other = examplesFor(smallMlp());
      await expect(matchLearned({ graph, engine, symmetries }, [a, b], other, options)).rejects.toMatchObject(
        { _tag: "InputError" },
      );
    });
  });

  describe("of two networks with rotary embeddings", () => {
    const graph = rotaryNetwork("halves");
    const [a, b] = [networkOf(graph, 1), networkOf(graph, 2)];
    const run = async (heads: "invertible" | "orthogonal") => {
      const symmetries = await discoverSymmetries({ graph, engine });
      const options = { seed: 0, steps: 20, batchSize: 16, learningRate: 0.02, heads };
      return matchLearned({ graph, engine, symmetries }, [a, b], examplesFor(graph), options);
    };

    test.each([
      ["invertible", { complex: 4 }],
      ["orthogonal", { "unit-complex": 4 }],
    ] as const)("learns complex numbers and keeps what B computes, heads: %s", async (heads, spaces) => {
      const learned = await run(heads);
      expect(learned.spaces).toMatchObject(spaces);
      const { objective, start, transform } = learned;
      expect(objective.after).toBeGreaterThan(Math.max(start.closedForm, start.descent));
      const moved = await transform(b);
      expect(await verifyAlignment({ graph, engine }, [b, moved], { seed: 3 })).toMatchObject({
        passed: true,
      });
      const lengths = await Promise.all([b, moved].map((network) => pairLengths(network)));
      const isKept = lengths[0]?.every((length, i) => Math.abs(length - (lengths[1]?.[i] ?? 0)) < 1e-5);
      // Numbers of length 1 keep the lengths of pairs; heads may be permuted.
      expect(isKept).toBe(heads === "orthogonal");
    });
  });
});

/** Lengths of the biases of keys, pair by pair, ascending. */
async function pairLengths(network: Checkpoint): Promise<number[]> {
  const { data } = await network.read("k.bias");
  const bias = Array.from(data as Float32Array);
  // Of 6 dimensions of a head the first 4 turn, 0 with 2 and 1 with 3.
  const firsts = [0, 1, 6, 7];
  return firsts.map((i) => Math.hypot(bias[i] ?? 0, bias[i + 2] ?? 0)).sort((x, y) => x - y);
}
