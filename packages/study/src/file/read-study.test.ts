// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the study
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inFreshFolders } from "../../../../test/helpers/fresh-folder.ts";
import { readStudy } from "./read-study.ts";

const STUDY = `title: Small
description: A study
networks:
  mlps:
    for: { seed: [0, 1] }
    net: mlp:8
    data: mnist:train
    seed: \${seed}
    epochs: 2
    optimizer: { kind: adam, beta1: 0.8 }
measurements:
  barriers:
    kind: barrier
    between: mlps
    data: mnist:test
tables:
  barriers:
    title: Barriers
    of: barriers
    by: [epochs]
    columns:
      epochs: { title: Epochs }
`;

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

function read(text: string) {
  const path = join(folder, "study.yaml");
  writeFileSync(path, text);
  return readStudy(path);
}

describe("readStudy()", () => {
  it("reads networks that are collected, and measurements of them", async () => {
    const more = `  lgv:
    collect: mlps
    method: lgv
    data: mnist:train@10..20
    seed: 1
  control: { scatter: lgv, seed: 2, data: mnist:train }
measurements:
  together: { kind: ensemble, of: lgv, across: member, data: mnist:test, others: [mnist:train] }
  attack:
    kind: attack
    of: mlps
    data: mnist:test
    sources: { lgv: { of: lgv, mode: in-turn }, control: { of: control } }
  fronts: { kind: pareto, net: mlp:8, data: mnist:train, testData: mnist:test, seed: 0, epochs: 1 }
`;
    const study = await read(STUDY.replace("measurements:\n", more));
    expect(study.networks["lgv"]).toMatchObject({ collect: "mlps", data: "mnist:train@10..20" });
    await expect(
      read(STUDY.replace("measurements:\n", more.replace("lgv\n    data", "lgw\n    data"))),
    ).rejects.toThrow(/networks.lgv.method" must be one of .*swa.*spro/);
    await expect(read(STUDY.replace("measurements:\n", more.replace("in-turn", "turns")))).rejects.toThrow(
      /sources.lgv.mode" must be one of .*together.*in-turn/,
    );
    const scored = more.replace("seed: 0, epochs", "loss: mean-squared-error, seed: 0, epochs");
    await expect(read(STUDY.replace("measurements:\n", scored))).rejects.toThrow(
      /unknown key "loss"; known are kind, net, data, testData, layout/,
    );
  });

  const deep = (open: string, close: string) => `${open.repeat(20_000)}${close.repeat(20_000)}`;
  const aliases = Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`);
  it.each<[string, () => string, RegExp]>([
    [
      "lists in lists",
      () => `title: ${deep("[", "]")}`,
      /its YAML may be nested 128 levels deep: study\.yaml:\d is nested deeper$/,
    ],
    [
      "maps in maps",
      () => `title: ${deep("{a: ", "}")}`,
      /its YAML may be nested 128 levels deep: study\.yaml:\d is nested deeper$/,
    ],
    [
      "lines in lines",
      () => `title:\n  ${deep("- ", "")}x`,
      /its YAML may be nested 128 levels deep: study\.yaml:\d is nested deeper$/,
    ],
    ["aliases of aliases", () => `a0: &a0 [x, x]\n${aliases.join("\n")}`, /Excessive alias count/],
    ["questions in questions", () => `title: ${deep("? ", "")}x`, /its YAML may be nested 128 levels deep/],
    ["pairs of something else", () => STUDY.replace("between: mlps", "between: { toString: 1 }"), /between/],
    ["itself", () => "title: &a [*a]", /"title" must be text/],
    ["one long line", () => `title: x\n${"k".repeat(1_000_000)}`, /must be YAML/],
    [
      "a million pairs",
      () => STUDY.replace("[0, 1]", "0..3000"),
      /may have at most 50000 networks and tasks: it/,
    ],
  ])("readStudy() refuses a study of %s, in words of its own", async (_, write, message) => {
    await expect(read(write())).rejects.toThrow(/^Cannot (read|plan) the study as/);
    await expect(read(write())).rejects.toThrow(message);
  });

  it("readStudy() reads a study as it is written", async () => {
    const study = await read(STUDY);
    expect(study).toMatchObject({
      title: "Small",
      networks: { mlps: { net: "mlp:8", for: { seed: [0, 1] } } },
    });
  });

  it.each([
    [
      "epochs: 2",
      "epoch: 2",
      'study.yaml:4: "networks.mlps.epochs" is missing\n  study.yaml:9: unknown key "epoch"; did you mean "epochs"?',
    ],
    ["epochs: 2", "epochs: 0", 'study.yaml:9: "networks.mlps.epochs" must be at least 1'],
    ["epochs: 2", "epochs: two", 'study.yaml:9: "networks.mlps.epochs" must be a number: it is text'],
    ["beta1", "beta_1", 'study.yaml:10: unknown key "beta_1"; did you mean "beta1"?'],
    [
      "kind: adam",
      "kind: adm",
      'study.yaml:10: "networks.mlps.optimizer.kind" must be one of sgd, adam, adamw, sam',
    ],
    ["beta1: 0.8", "beta1: 1", 'study.yaml:10: "networks.mlps.optimizer.beta1" must be below 1'],
    ["epochs: 2", "epochs: 2000000", 'study.yaml:9: "networks.mlps.epochs" must be at most 100000'],
    ["mnist:train", "mnist", 'study.yaml:7: "networks.mlps.data" must say which examples'],
    ["between: mlps", "betwen: mlps", 'unknown key "betwen"; did you mean "between"?'],
    ["tables:", "tabels:", 'study.yaml:16: unknown key "tabels"; did you mean "tables"?'],
    ["of: barriers", "off: barriers", 'study.yaml:19: unknown key "off"; did you mean "of"?'],
    [
      "title: Epochs }",
      "title: Epochs, meen: x }",
      'study.yaml:22: unknown key "meen"; did you mean "mean"?',
    ],
    ["kind: barrier\n", "kind: barier\n", 'study.yaml:13: "measurements.barriers.kind"'],
    ["seed: ${seed}", "seed: ${sed}", '"sed" must be a variable of "for"'],
    ["title: Small", "title: Small\nzzz: 1", 'unknown key "zzz"; known are title, description, seed'],
    ["net: mlp:8", "net: mlp:8\n    net: mlp:9", "must be YAML: study.yaml:7: Map keys must be unique"],
    ["[0, 1]", "[0, 1", "must be YAML: study.yaml:"],
    ["epochs: 2", "epochs: *many", "must be YAML: study.yaml: Unresolved alias"],
  ])("readStudy() names the line where %j became %j", async (from, to, message) => {
    expect(STUDY).toContain(from);
    await expect(read(STUDY.replace(from, to))).rejects.toThrow(
      expect.objectContaining({ message: expect.stringContaining(message) }),
    );
  });

  it.each([
    ["many: cycle", "many: cycles", 'study.yaml:15: "measurements.barriers.many" must be one of'],
    ["count: 2", "count: none", '"measurements.barriers.count" must be a number: it is text'],
    ["    of: mlps\n", "", 'study.yaml:12: "measurements.barriers.of" is missing'],
    ["count: 2", "cuont: 2", 'unknown key "cuont"; did you mean "count"?'],
  ])("readStudy() names the line of a merge where %j became %j", async (from, to, message) => {
    const merging = STUDY.replace(
      /kind: barrier\n.*\n/,
      "kind: merge\n    of: mlps\n    many: cycle\n    count: 2\n",
    );
    await expect(read(merging)).resolves.toMatchObject({ measurements: { barriers: { many: "cycle" } } });
    expect(merging).toContain(from);
    await expect(read(merging.replace(from, to))).rejects.toThrow(
      expect.objectContaining({ message: expect.stringContaining(message) }),
    );
  });

  it.each([
    ["align: learned", "align: learnt", '"measurements.barriers.align" must be one of'],
    ["steps: 75", "steps: -1", '"measurements.barriers.match.steps" must be at least 0'],
    ["data: mnist:train,", "data: mnist,", '"measurements.barriers.match.data" must say which examples'],
    ["learningRate: 0.01", "rate: 0.01", 'unknown key "rate"'],
    ["temperature: true", "temperature: 2", '"measurements.barriers.temperature" must be'],
  ])("readStudy() names what is wrong with an alignment where %j became %j", async (from, to, message) => {
    const match =
      "{ data: mnist:train, examples: 500, steps: 75, batch: 32, learningRate: 0.01, heads: orthogonal }";
    const aligned = STUDY.replace(
      "between: mlps\n",
      `between: mlps\n    align: learned\n    temperature: true\n    match: ${match}\n`,
    );
    await expect(read(aligned)).resolves.toMatchObject({
      measurements: { barriers: { align: "learned", temperature: true, match: { steps: 75, batch: 32 } } },
    });
    expect(aligned).toContain(from);
    await expect(read(aligned.replace(from, to))).rejects.toThrow(
      expect.objectContaining({ message: expect.stringContaining(message) }),
    );
  });

  it.each(["mean-squared-error", "masked-token", "{ kind: next-token }", "{ head: cross-entropy }"])(
    "readStudy() reads that networks are trained by the loss %s",
    async (loss) => {
      const { networks } = await read(STUDY.replace("epochs: 2", `epochs: 2\n    loss: ${loss}`));
      expect(networks["mlps"]).toHaveProperty("loss");
    },
  );

  it.each([
    ["mse", 'loss" must be one of "cross-entropy"|"binary-cross-entropy"'],
    ["none", 'loss" must be one of "cross-entropy"|"binary-cross-entropy"'],
    ["2", 'loss" must be one of "cross-entropy"|'],
    ["{ kind: mse }", 'loss.kind" must be one of cross-entropy, next-token,'],
    ["{ kind: cross-entropy, labelSmoothing: 1 }", 'loss.labelSmoothing" must be below 1'],
    ["{ kind: cross-entropy, smoothing: 0 }", 'unknown key "smoothing"; did you mean "labelSmoothing"?'],
    ["{}", 'loss" must name a loss for each output'],
  ])("readStudy() says what is wrong with the loss %s of a training", async (loss, message) => {
    await expect(read(STUDY.replace("epochs: 2", `epochs: 2\n    loss: ${loss}`))).rejects.toThrow(
      expect.objectContaining({ message: expect.stringContaining(message) }),
    );
  });

  it("readStudy() tells a problem of many networks once", async () => {
    const error: Error = await read(STUDY.replace("epochs: 2", "epochs: two")).then(
      () => new TypeError("It was read"),
      (reason) => reason,
    );
    expect(error.message.match(/study\.yaml:/g)).toHaveLength(1);
  });
});
