import { rmSync } from "node:fs";
import { join } from "node:path";
import { type Checkpoint, createCheckpoint, type Tensor, viewBytes } from "@isthmus/core";
import { createTextDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { randomWeights } from "@isthmus/graph";
import { type Trained, type TrainOptions, train, trainBlend } from "@isthmus/training";
import { parseNetwork } from "@isthmus/zoo";
import { describe, expect, it } from "vitest";
import { inFreshFolders } from "../../../test/helpers/fresh-folder.ts";
import { markovText } from "../../../test/helpers/markov-text.ts";
import { numbersOf } from "../../../test/helpers/run-steps.ts";
import { dropoutCnn } from "../../../test/helpers/small-networks.ts";
import { stripes } from "../../../test/helpers/stripes.ts";
import { abortAfter } from "./abort-after.ts";

const engine = createOnnxRuntimeEngine();

const graph = dropoutCnn();
const data = stripes(50);
const networkOf = (seed: number): Checkpoint => createCheckpoint(randomWeights(graph, seed));
const start = networkOf(7);
const names = [...graph.weights.keys()];
const trained = names.filter((name) => graph.weights.get(name)?.role === "parameter");

const scaled = (network: Checkpoint, by: number): Promise<Checkpoint> =>
  mapTensors(network, (values) => values.map((value) => by * value));

async function mapTensors(network: Checkpoint, map: (values: number[], name: string) => number[]) {
  const entries = names.map(async (name): Promise<[string, Tensor]> => {
    const tensor = await network.read(name);
    return [name, { ...tensor, data: Float32Array.from(map(numbersOf(tensor), name)) }];
  });
  return createCheckpoint(new Map(await Promise.all(entries)));
}

/** 50 examples in batches of 8: epochs end in the middle of batches. */
const options: TrainOptions = {
  seed: 3,
  epochs: 3,
  batch: 8,
  optimizer: { kind: "sgd", weightDecay: 0.01 },
  schedule: { kind: "cosine", learningRate: 0.05 },
  augment: { crop: 1, flip: true },
};
const STEPS = 19;

const trainSmall = (more: Partial<TrainOptions> = {}): Promise<Trained> =>
  train({ graph, engine }, start, data, { ...options, ...more });

/** Bytes of all tensors by name. */
async function bytesOf({
  tensors,
  read,
}: Pick<Checkpoint, "tensors" | "read">): Promise<Record<string, string>> {
  const entries = [...tensors.keys()].map(async (name) => {
    return [name, Buffer.from(viewBytes((await read(name)).data)).toString("hex")] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

const bytes = (checkpoint: Checkpoint | undefined): Promise<Record<string, string>> =>
  checkpoint === undefined
    ? Promise.resolve({})
    : bytesOf({ tensors: checkpoint.tensors, read: (name) => checkpoint.read(name) });

/** Everything that a training returns, as bytes and plain data. */
async function resultOf({ weights, result, controlVariates }: Trained) {
  const { client, clientChange, weightChange } = controlVariates ?? {};
  return {
    weights: await bytes(weights),
    epochs: result.epochs,
    variates: await Promise.all([client, clientChange, weightChange].map(bytes)),
  };
}

async function distance(a: Checkpoint, b: Checkpoint): Promise<number> {
  let sum = 0;
  for (const name of trained) {
    const [one, other] = [numbersOf(await a.read(name)), numbersOf(await b.read(name))];
    one.forEach((value, i) => {
      sum += (value - (other[i] ?? Number.NaN)) ** 2;
    });
  }
  return Math.sqrt(sum);
}

let folder: string;
let statePath: string;
inFreshFolders((path) => {
  folder = path;
  statePath = join(folder, "run.state.safetensors");
});

const variates = async () => ({
  server: await scaled(networkOf(11), 0.01),
  client: await scaled(networkOf(12), 0.01),
});

/** Each option, doing something. */
const cases: [string, () => Promise<Partial<TrainOptions>>][] = [
  ["a proximal term", async () => ({ proximal: { mu: 0.1 } })],
  ["a proximal term and its reference", async () => ({ proximal: { mu: 0.1, reference: networkOf(8) } })],
  ["control variates, option II", async () => ({ controlVariates: await variates() })],
  ["control variates, option I", async () => ({ controlVariates: { ...(await variates()), option: "I" } })],
  ["easy examples first", async () => ({ curriculum: { order: "easy-first", start: 0.3 } })],
  [
    "hard examples first",
    async () => ({ curriculum: { order: "hard-first", pacing: "step", scoredBy: networkOf(8) } }),
  ],
  ["a random curriculum", async () => ({ curriculum: { order: "random", pacing: "root" } })],
  ["Wasserstein-robust steps", async () => ({ wasserstein: { gamma: 1, steps: 2 } })],
  [
    "all of them that go together",
    async () => ({
      proximal: { mu: 0.1 },
      curriculum: { order: "easy-first" },
      wasserstein: { gamma: 1, steps: 1 },
      optimizer: { kind: "sam", base: { kind: "adam", clipNorm: 1 } },
    }),
  ],
];

describe.each(cases)("train() with %s", (_, make) => {
  it("train() gives other weights than without", async () => {
    expect(await bytes((await trainSmall(await make())).weights)).not.toEqual(
      await bytes((await trainSmall()).weights),
    );
  });

  it("train() goes on to the same bytes wherever it was stopped", async () => {
    const more = await make();
    const whole = await resultOf(await trainSmall(more));
    for (const steps of [1, 7, 12]) {
      await expect(trainSmall({ ...more, statePath, ...abortAfter(steps) })).rejects.toThrow(/abort/i);
      const resumed = await trainSmall({ ...more, statePath, resume: true });
      expect(resumed.result.resumedAt).toBe(steps);
      expect(await resultOf(resumed)).toEqual(whole);
      rmSync(statePath);
    }
  });

  it("train() gives the same bytes on any number of threads", async () => {
    const more = await make();
    const [one, two, four] = [1, 2, 4].map(async (threads) =>
      resultOf(await trainSmall({ ...more, threads })),
    );
    expect(await two).toEqual(await one);
    expect(await four).toEqual(await one);
  });

  it("train() resumes no training without, and is resumed by none", async () => {
    const more = await make();
    await trainSmall({ ...more, statePath, epochs: 1 });
    const { optimizer = options.optimizer } = more;
    const plain = { statePath, epochs: 1, resume: true, ...(optimizer && { optimizer }) };
    await expect(trainSmall(plain)).rejects.toThrow(
      /of the same training: "(proximal|control|curric|wasser).*not given here/,
    );
    rmSync(statePath);
    await trainSmall({ ...plain, resume: false });
    await expect(trainSmall({ ...more, ...plain })).rejects.toThrow(
      /of the same training: .* is not given there/,
    );
  });
});

describe("train() with options that do nothing", () => {
  const nothings: [string, () => Promise<Partial<TrainOptions>>][] = [
    ["mu = 0", async () => ({ proximal: { mu: 0, reference: networkOf(8) } })],
    ["no variates", async () => ({ controlVariates: {} })],
    [
      "variates of zeros",
      async () => ({ controlVariates: { server: await scaled(start, 0), client: await scaled(start, 0) } }),
    ],
    ["equal variates", async () => ({ controlVariates: { server: networkOf(5), client: networkOf(5) } })],
    ["all examples at once", async () => ({ curriculum: { order: "hard-first", start: 1 } })],
    ["no time to wait", async () => ({ curriculum: { order: "easy-first", full: 0 } })],
    ["gamma = Infinity", async () => ({ wasserstein: { gamma: Number.POSITIVE_INFINITY } })],
  ];
  it.each(nothings)("train() with %s is plain training, bit for bit", async (_, make) => {
    const [plain, same] = [await trainSmall(), await trainSmall(await make())];
    expect(await bytes(same.weights)).toEqual(await bytes(plain.weights));
    expect(same.result.epochs).toEqual(plain.result.epochs);
  });

  it("train() without them resumes a state of one without strength", async () => {
    await expect(trainSmall({ statePath, ...abortAfter(5) })).rejects.toThrow(/abort/i);
    const more = { proximal: { mu: 0 }, wasserstein: { gamma: Number.POSITIVE_INFINITY } };
    const resumed = await trainSmall({ ...more, statePath, resume: true });
    expect(resumed.result.resumedAt).toBe(5);
    expect(await bytes(resumed.weights)).toEqual(await bytes((await trainSmall()).weights));
  });
});

describe("train() with a proximal term, as a whole", () => {
  it("train() stays the nearer to its start the stronger the term is", async () => {
    const distances: number[] = [];
    for (const mu of [0, 0.1, 1, 5]) {
      const { weights } = await trainSmall({ proximal: { mu }, optimizer: { kind: "sgd" } });
      distances.push(await distance(weights, start));
    }
    expect(distances).toEqual(distances.toSorted((a, b) => b - a));
    expect(distances[3]).toBeLessThan(0.5 * (distances[0] ?? 0));
  });

  it("train() is drawn to another reference, and leaves frozen parameters alone", async () => {
    const reference = networkOf(8);
    const pulled = await trainSmall({ proximal: { mu: 5, reference }, freeze: ["conv.*"], augment: {} });
    expect(await distance(pulled.weights, reference)).toBeLessThan(await distance(start, reference));
    const read = async (network: Checkpoint) => (await network.read("conv.weight")).data;
    expect(await read(pulled.weights)).toEqual(await read(start));
  });

  it("train() refuses references that do not fit", async () => {
    const few = createCheckpoint(new Map([["head.weight", await start.read("head.weight")]]));
    const wild = await mapTensors(start, (values, name) =>
      name === "head.bias" ? values.map(() => Number.NaN) : values,
    );
    const turned = createCheckpoint(
      new Map(
        await Promise.all(
          names.map(
            async (name) =>
              [name, { ...(await start.read(name)), shape: [(await start.read(name)).data.length] }] as const,
          ),
        ),
      ),
    );
    for (const [reference, message] of [
      [few, /lacks 5 of 6 weights/],
      [wild, /reference .* every number must be finite: element 0 of "head.bias" is not/],
      [turned, /shapes must be equal/],
    ] as const) {
      await expect(trainSmall({ proximal: { mu: 1, reference } })).rejects.toThrow(message);
    }
  });

  it("train() trains language models with it", async () => {
    const text = createTextDataSet(markovText(300, 0), { context: 12 });
    const { graph: gpt, initialize } = parseNetwork("gpt:d1:w16:h2", text);
    const options = {
      seed: 0,
      epochs: 1,
      batch: 4,
      curriculum: { order: "easy-first", start: 0.1 },
    } as const;
    const { result } = await train({ graph: gpt, engine }, initialize(0), text, {
      ...options,
      proximal: { mu: 0.1 },
    });
    expect(result.loss).toBeGreaterThan(0);
  });
});

describe("train() with control variates, as a whole", () => {
  it("train() by option II returns c_i - c + (x - y) / (K eta), the sum of the rates for a schedule", async () => {
    const { server, client } = await variates();
    const { weights, controlVariates, result } = await trainSmall({ controlVariates: { server, client } });
    expect(result.steps).toBe(STEPS);
    let rates = 0;
    for (let step = 0; step < STEPS; step++) rates += 0.025 * (1 + Math.cos((Math.PI * step) / STEPS));
    expect([...(controlVariates?.client.tensors.keys() ?? [])].sort()).toEqual([...trained].sort());
    for (const name of trained) {
      const read = async (of: Checkpoint | undefined) => numbersOf((await of?.read(name)) as Tensor);
      const [x, y, c, own] = await Promise.all([start, weights, server, client].map(read));
      const [next, change, moved] = await Promise.all(
        [controlVariates?.client, controlVariates?.clientChange, controlVariates?.weightChange].map(read),
      );
      const at = (values: number[] | undefined, i: number) => values?.[i] ?? Number.NaN;
      next?.forEach((value, i) => {
        expect(value).toBeCloseTo(at(own, i) - at(c, i) + (at(x, i) - at(y, i)) / rates, 5);
        expect(at(change, i)).toBe(Math.fround(value - at(own, i)));
        expect(at(moved, i)).toBe(Math.fround(at(y, i) - at(x, i)));
      });
    }
  });

  it("train() with its own next variates on both sides trains as without, and finds them again", async () => {
    const first = await trainSmall({ controlVariates: {} });
    const client = first.controlVariates?.client;
    const second = await trainSmall({ controlVariates: { server: client, client } });
    expect(await resultOf(second)).toMatchObject({ weights: await bytes(first.weights) });
    expect(await bytes(second.controlVariates?.client)).toEqual(await bytes(client));
    const zero = numbersOf((await second.controlVariates?.clientChange.read("head.weight")) as Tensor);
    expect(zero.every((value) => value === 0)).toBe(true);
  });

  it("train() refuses what control variates are not defined for", async () => {
    const few = createCheckpoint(new Map([["head.weight", await start.read("head.weight")]]));
    const refused: [Partial<TrainOptions>, RegExp][] = [
      [
        { optimizer: { kind: "sgd", momentum: 0.9 } },
        /plain SGD only: the optimizer is sgd with momentum 0.9; pass optimizer: \{ kind: "sgd" \}/,
      ],
      [{ optimizer: { kind: "adam" } }, /the optimizer is adam/],
      [{ optimizer: { kind: "sgd", clipNorm: 1 } }, /the optimizer is sgd that clips gradients to 1/],
      [{ optimizer: { kind: "sam", base: { kind: "sgd" } } }, /the optimizer is sam/],
      [{ proximal: { mu: 1 } }, /there is a proximal term, too; leave one of both out/],
      [{ epochs: 0 }, /"epochs" must be at least 1: it is 0/],
      [{ controlVariates: { option: "III" as never } }, /"option" must be "I" or "II": it is "III"/],
      [{ controlVariates: { local: start } as never }, /there is no option "local"/],
      [{ controlVariates: { server: few } }, /lacks 5 of 6 weights/],
      [
        { controlVariates: { server: await scaled(start, Number.NaN) } },
        /control variates .* every number must be finite/,
      ],
    ];
    for (const [more, message] of refused) {
      await expect(trainSmall({ controlVariates: {}, ...more })).rejects.toThrow(message);
    }
    const { optimizer: _, ...rest } = options;
    const byDefault = train({ graph, engine }, start, data, { ...rest, controlVariates: {} });
    await expect(byDefault).rejects.toThrow(/sgd with momentum 0.9/);
  });
});

describe("train() of what a client cannot train", () => {
  it("train() refuses to rank by a loss that the graph computes, and networks that do not fit", async () => {
    const curriculum = { order: "easy-first" } as const;
    const loss = { kind: "output", output: "none" } as const;
    await expect(trainSmall({ curriculum, loss })).rejects.toThrow(/"none"/);
    await expect(
      trainSmall({ curriculum: { ...curriculum, scoredBy: createCheckpoint({}) } }),
    ).rejects.toThrow(/lacks/);
  });

  it("trainBlend() refuses options of clients", async () => {
    const blend = {
      points: [{ name: "a", trained: true }],
      start: new Map([["a", start]]),
      description: {},
      at: () => ({ coefficients: [1], given: new Map() }),
    };
    for (const more of [
      { proximal: { mu: 1 } },
      { controlVariates: {} },
      { curriculum: { order: "random" } },
      { wasserstein: { gamma: 1 } },
    ]) {
      await expect(trainBlend({ graph, engine }, blend, data, { ...options, ...more })).rejects.toThrow(
        /Cannot train a blend of networks with "\w+" as that is for single networks: train\(\) takes it/,
      );
    }
  });
});
