import { createRandom } from "@isthmus/core";
import {
  ADVICE_RULES,
  type AdviseMergeOptions,
  adviseMerge,
  compareNetworks,
  formatAdvisedRecipe,
  judgeMerge,
  parseRecipe,
} from "@isthmus/recipe";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkpointOf, mapTensors, permuteUnits, plantNetwork, type Tensors } from "./planted-networks.ts";

/** Adds steps that share a part, of either sign, with each other. */
const step = (tensors: Tensors, seed: number, { common, own }: { common: number; own: number }): Tensors =>
  mapTensors(tensors, (data, name) => {
    const [shared, alone] = [createRandom(0, name), createRandom(seed, `own ${name}`)];
    return data.map((x) => x + 0.02 * (common * shared.normal() + own * alone.normal()));
  });

const start = plantNetwork(1);
const open = (tensors: Tensors, name: string) => checkpointOf(tensors, name);
const base = open(start, "base");

async function advise(networks: readonly Tensors[], options: AdviseMergeOptions = {}, hasBase = true) {
  const opened = networks.map((tensors, i) => open(tensors, `n${i}`));
  const comparison = await compareNetworks(opened, hasBase ? { base } : {});
  return { comparison, advice: adviseMerge(comparison, options) };
}

describe("adviseMerge()", () => {
  test("goes by the angle of steps from the base", async () => {
    const alike = await advise([1, 2].map((seed) => step(start, seed, { common: 1, own: 0.5 })));
    expect(alike.advice).toMatchObject({ rule: "relatives", method: "linear", base: null, networks: [0, 1] });
    const unlike = await advise([1, 2].map((seed) => step(start, seed, { common: 0, own: 1 })));
    expect(unlike.advice).toMatchObject({ rule: "unrelated steps", method: "iso_c", base: 2 });
    expect(unlike.advice.signs.conflict).toBeCloseTo(0.5, 1);
    const opposed = await advise([1, -1].map((common, i) => step(start, i, { common, own: 0.5 })));
    expect(opposed.advice).toMatchObject({ rule: "opposed steps", parameters: { scale: 0.5 } });
    expect(opposed.advice.signs.conflict).toBeGreaterThan(0.7);
    expect(opposed.advice.reason).toMatch(
      /\(mean cosine of steps -0\.\d\d, sign conflicts 0\.\d\d, mean length/,
    );
  });

  test("aligns strangers and copies with other orders of units, and does not merge other architectures", async () => {
    expect((await advise([start, plantNetwork(2)], {}, false)).advice).toMatchObject({
      rule: "strangers",
      method: "linear",
      align: true,
    });
    expect((await advise([start, permuteUnits(start, 4)], {}, false)).advice.align).toBe(true);
    const renamed = Object.fromEntries(Object.entries(start).map(([name, tensor]) => [`x.${name}`, tensor]));
    const { comparison, advice } = await advise([start, renamed], {}, false);
    expect(advice).toMatchObject({ method: null, next: [] });
    expect(formatAdvisedRecipe(comparison, advice)).toBeNull();
  });

  test("lets the slope of the loss decide before angles do", async () => {
    const networks = [1, 2].map((seed) => step(start, seed, { common: 0, own: 1 }));
    const of = async (slope: number, some = networks) =>
      (await advise(some, { gradients: { alignment: 0, slope } })).advice.rule;
    expect(await of(0.4)).toBe("too long");
    expect(await of(-0.4)).toBe("too short, two networks");
    expect(await of(-0.4, [...networks, step(start, 3, { common: 0, own: 1 })])).toBe("too short");
    expect(await of(0)).toBe("unrelated steps");
  });

  test("does not merge NaN, and says of long steps that have nothing in common that they have not", async () => {
    const spoilt = mapTensors(start, (data) => data.map((x, i) => (i === 3 ? Number.NaN : x)));
    const { comparison, advice } = await advise([step(start, 1, { common: 1, own: 0.5 }), spoilt], {}, false);
    expect(advice).toMatchObject({ rule: "not finite", method: null, next: [] });
    expect(advice.reason).toMatch(/spread to every merge.* \(networks with such numbers 1\)$/);
    expect(formatAdvisedRecipe(comparison, advice)).toBeNull();
    const near = await advise([1, 2].map((seed) => step(start, seed, { common: 0, own: 1 })));
    const { taskVectors } = near.comparison;
    if (taskVectors === null) throw new Error("the base was given");
    const far = adviseMerge({ ...near.comparison, taskVectors: { ...taskVectors, lengths: [0.6, 0.9] } });
    expect(far).toMatchObject({ rule: "long unrelated steps", method: "linear" });
    expect(far.reason).toMatch(/little in common.*cosine of steps 0\.0/);
  });

  test("takes no network for the base of those that it was made of, by its metadata", async () => {
    const children = [1, 2, 3].map((seed) => step(start, seed, { common: 0, own: 1 }));
    const opened = children.map((tensors, i) => open(tensors, `runs/n${i}`));
    const making = JSON.stringify({ verb: "merge", inputs: [{ source: "n0", files: [] }, "n1", 7, null] });
    const recorded = { ...base, metadata: { isthmus: making } };
    const plain = await compareNetworks([...opened, base]);
    expect(plain.taskVectors).toMatchObject({ base: 3, guessed: true });
    expect(adviseMerge(plain).reason).toMatch(/the base is a guess, and --base names the right one \(/);
    const merged = await compareNetworks([...opened, recorded]);
    expect(merged.taskVectors).toBeNull();
    expect(adviseMerge(merged)).toMatchObject({ rule: "no base", base: null });
    expect(judgeMerge(merged).findings).toContainEqual(
      expect.objectContaining({
        kind: "made-of-others",
        networks: [3],
        message: expect.stringMatching(/base.* was made of .*n0.*n1/),
      }),
    );
    for (const isthmus of ["{", "null", "[]", '{"inputs":{}}'])
      expect((await compareNetworks([...opened, { ...base, metadata: { isthmus } }])).taskVectors?.base).toBe(
        3,
      );
  });

  test("names the commands that tell more, with paths quoted for a shell", async () => {
    const networks = [1, 2].map((seed) => step(start, seed, { common: 1, own: 0.5 }));
    const unknown = (await advise(networks, { recipe: "my advice.yaml" }, false)).advice.next.map(
      (one) => one.command,
    );
    expect(unknown[0]).toBe("isthmus compare n0 n1 --base BASE");
    expect(unknown.at(-1)).toBe("isthmus merge 'my advice.yaml' -o merged.safetensors");
    const unwritten = (await advise(networks, {}, false)).advice.next.at(-1)?.command;
    expect(unwritten).toBe(
      "isthmus compare n0 n1 --recipe advice.yaml && isthmus merge advice.yaml -o merged.safetensors",
    );
    const known = (await advise(networks, { graph: "g.onnx" })).advice.next.map((one) => one.command);
    expect(known[0]).toBe("isthmus compare n0 n1 --base base --graph g.onnx --data DATA");
  });

  test("needs no graph for folders of models, and takes a file that begins with a dash for no option", async () => {
    const networks = [1, 2].map((seed) => step(start, seed, { common: 1, own: 0.5 }));
    const { comparison } = await advise(networks, {}, false);
    const facts = { modelType: "llama", tied: null, quantization: null, chat: false, adapter: false };
    const models = { ...comparison, networks: comparison.networks.map((one) => ({ ...one, facts })) };
    const [, barrier, merge] = adviseMerge(models, { recipe: "r.yaml" }).next.map((one) => one.command);
    expect(barrier).toBe("isthmus barrier n0 n1 --data DATA");
    expect(merge).toBe("isthmus merge r.yaml -o merged");
    const dashed = {
      ...comparison,
      networks: comparison.networks.map((one) => ({ ...one, source: "-a.pt" })),
    };
    expect(adviseMerge(dashed).next[1]?.command).toMatch("isthmus barrier ./-a.pt ./-a.pt --graph");
  });

  test("merges adapters as what they add, never aligned, and no adapter with a model", async () => {
    const { comparison } = await advise([start, plantNetwork(2)], {}, false);
    const adaptersAt = (...places: readonly number[]) => ({
      ...comparison,
      networks: comparison.networks.map((one, i) => ({ ...one, adapter: places.includes(i) })),
    });
    const both = adviseMerge(adaptersAt(0, 1), { recipe: "r.yaml" });
    expect(both).toMatchObject({ rule: "adapters", method: "linear", align: false });
    expect(both.next.map((one) => one.command)).toEqual(["isthmus merge r.yaml -o merged"]);
    expect(adviseMerge(adaptersAt(1))).toMatchObject({
      rule: "adapters among models",
      method: null,
      next: [],
    });
    const severity = (places: readonly number[], method?: string) =>
      judgeMerge(adaptersAt(...places), { method }).findings.find(({ kind }) => kind === "adapter")?.severity;
    // Before a method is chosen, the advised merge of adapters works; a method blends their factors.
    expect([severity([0, 1]), severity([0, 1], "ties"), severity([1])]).toEqual([
      "warning",
      "error",
      "error",
    ]);
    expect(judgeMerge(adaptersAt(0, 1)).findings.some(({ kind }) => kind === "different-seed")).toBe(false);
    expect(judgeMerge(comparison).findings.some(({ kind }) => kind === "different-seed")).toBe(true);
  });

  test("writes recipes that can be read, whatever files are called", () =>
    fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1 }), fc.constantFrom(...ADVICE_RULES), async (name, rule) => {
        const networks = [1, 2].map((seed) => step(start, seed, { common: 1, own: 0.5 }));
        const opened = networks.map((tensors, i) => open(tensors, `${i}/${name}`));
        const comparison = await compareNetworks(opened, { base });
        const advice = { ...adviseMerge(comparison), ...rule.way, rule: rule.name };
        const text = formatAdvisedRecipe(comparison, advice, { graph: "g.onnx" });
        if (text === null) {
          expect(rule.way.method).toBeNull();
          return;
        }
        const recipe = parseRecipe(text);
        expect(recipe).toMatchObject({ merge_method: rule.way.method, models: [{ model: `0/${name}` }, {}] });
      }),
      { numRuns: 20 },
    ));
});
