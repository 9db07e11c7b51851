import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AttackResult, CollectResult, EnsembleResult, ParetoResult } from "@isthmus/ensemble";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeStripes } from "../../../test/helpers/encode-stripes.ts";
import { killOnceThere, runAlone, runCli, runJson } from "../../../test/helpers/run-cli.ts";

let folder: string;
const at = (...names: string[]) => join(folder, ...names);
const read = (...names: string[]) => readFileSync(at(...names));
const run = (...args: string[]) => runCli(args, { cwd: folder });
const json = <T>(...args: string[]) => runJson<T>(args, { cwd: folder });
const training = ["--data", "npz:stripes.npz", "--batch", "20", "--threads", "1"];
const collect = ["collect", "a.safetensors", "--graph", "a.onnx", ...training];
const measured = ["--graph", "a.onnx", "--data", "npz:stripes.npz:test"];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-cli-ensemble-"));
  writeFileSync(at("stripes.npz"), encodeStripes());
  for (const [name, seed] of [
    ["a", "0"],
    ["b", "1"],
    ["c", "2"],
  ] as const) {
    const net = ["--net", "mlp:6", "--epochs", "2", "--seed", seed];
    await json("train", ...net, ...training, "-o", `${name}.safetensors`);
  }
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

type Collected = CollectResult & { readonly outputs: readonly string[] };

describe("isthmus collect", () => {
  it("writes networks and their mean, the same bytes after an interruption", async () => {
    const options = ["--method", "swa", "--epochs", "3", "--seed", "4"];
    const result = await json<Collected>(...collect, ...options, "-o", "whole");
    expect(result).toMatchObject({ method: "swa", averaged: 4, collectedAt: [10, 20, 30] });
    const names = ["mean.safetensors", "net-001.safetensors", "net-002.safetensors", "net-003.safetensors"];
    expect(readdirSync(at("whole")).sort()).toEqual(names);
    expect(result.outputs).toHaveLength(4);
    const again = [...collect, ...options, "--save-every", "1", "-o", "killed"];
    const onStart = killOnceThere(at("killed", "net-002.safetensors"));
    await runAlone(again, { cwd: folder, onStart });
    const refused = await run(...again);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain(
      'must not hold others: there is "net-001.safetensors"; go on with --resume',
    );
    expect((await run(...again, "--resume")).code).toBe(0);
    expect(readdirSync(at("killed")).sort()).toEqual(names);
    for (const name of names) expect(read("killed", name)).toEqual(read("whole", name));
  });

  it("collects several an epoch at a high rate, or where a cyclic rate is lowest", async () => {
    const lgv = await json<Collected>(
      ...collect,
      "--method",
      "lgv",
      "--epochs",
      "2",
      "--per-epoch",
      "2",
      "-o",
      "lgv",
    );
    expect(lgv).toMatchObject({ method: "lgv", schedule: { kind: "constant", learningRate: 0.05 } });
    expect(lgv.collectedAt).toEqual([5, 10, 15, 20]);
    expect(lgv).not.toHaveProperty("averaged");
    const fge = [
      "--method",
      "fge",
      "--epochs",
      "4",
      "--cycle",
      "2",
      "--lr",
      "0.1",
      "--average",
      "--no-start",
    ];
    const { code, stdout } = await run(...collect, ...fge, "-o", "fge");
    expect(code).toBe(0);
    expect(stdout).toMatch(/collected +2, after steps 10 to 30 of 40/);
    expect(stdout).toMatch(/mean +of 2 networks/);
    expect(existsSync(at("fge", "mean.safetensors"))).toBe(true);
  });

  it.each([
    [["--method", "lgv", "--low-lr", "0.1"], 'by lgv with "lowRate"'],
    [["--cycle", "1", "--per-epoch", "2"], "--cycle and --per-epoch say the same"],
    [["--method", "lgv", "--per-epoch", "100"], "a cycle must have at least a step"],
    [["--net", "mlp:6"], "one of --net and --graph"],
  ])("refuses %j and leaves nothing", async (wrong, message) => {
    const { code, stderr } = await run(...collect, ...wrong, "-o", "none");
    expect(code).not.toBe(0);
    expect(stderr).toContain(message);
    expect(existsSync(at("none"))).toBe(false);
  });

  it("draws networks from the posterior, and goes on after the ones that are there", async () => {
    const posterior = ["--method", "posterior", "--epochs", "1", "--members", "2", "--concentration", "50"];
    await json(...collect, ...posterior, "-o", "drawn");
    expect(readdirSync(at("drawn")).sort()).toEqual(["net-001.safetensors", "net-002.safetensors"]);
    const [first, second] = [read("drawn", "net-001.safetensors"), read("drawn", "net-002.safetensors")];
    expect(second).not.toEqual(first);
    rmSync(at("drawn", "net-002.safetensors"));
    const { code, stdout } = await run(...collect, ...posterior, "-o", "drawn", "--resume");
    expect([code, stdout]).toEqual([0, expect.stringContaining("after 1 of 2")]);
    expect(read("drawn", "net-002.safetensors")).toEqual(second);
    const wrong = await run(...collect, ...posterior, "--cycle", "1", "-o", "none");
    expect(wrong.stderr).toContain("by posterior with --cycle as it is not of that method");
  });

  it("trains the vertices of a simplex, goes on after the ones that are there, and draws from it", async () => {
    const spro = ["--method", "spro", "--epochs", "1", "--members", "2", "--volume", "0.1"];
    await json(...collect, ...spro, "-o", "simplex");
    const names = ["net-001.safetensors", "net-002.safetensors", "net-003.safetensors"];
    expect(readdirSync(at("simplex")).sort()).toEqual(names);
    const last = read("simplex", "net-003.safetensors");
    rmSync(at("simplex", "net-003.safetensors"));
    const { code, stdout } = await run(...collect, ...spro, "-o", "simplex", "--resume");
    expect([code, stdout]).toEqual([0, expect.stringContaining("after 2 of 3")]);
    expect(read("simplex", "net-003.safetensors")).toEqual(last);
    const { predictors } = await json<EnsembleResult>(
      ...["ensemble", "simplex/*.safetensors", ...measured, "--simplex-members", "4"],
    );
    expect(predictors.at(-1)).toMatchObject({ name: "simplex", members: 4 });
    const wrong = await run(...collect, "--method", "posterior", "--volume", "1", "-o", "none");
    expect(wrong.stderr).toContain("by posterior with --volume as it is not of that method");
    const along = await run(...collect, "--members", "2", "-o", "none");
    expect(along.stderr).toContain("by swa with --members as it is not of that method");
  });

  it("refuses a file for a folder", async () => {
    const { code, stderr } = await run(...collect, "-o", "b.safetensors");
    expect(code).not.toBe(0);
    expect(stderr).toContain("it must be a folder: it is a file");
  });
});

describe("isthmus ensemble", () => {
  const networks = ["a.safetensors", "b.safetensors", "c.safetensors"];

  it("goes on from predictions and batches that were kept", async () => {
    const compared = ["ensemble", ...networks, ...measured];
    const first = await json<EnsembleResult>(...compared, "--journal", "kept");
    expect(readdirSync(at("kept"))).toHaveLength(4);
    expect(await json<EnsembleResult>(...compared, "--journal", "kept")).toEqual(first);
    const attacked = ["attack", ...networks, "--surrogate", "a.safetensors", ...measured, "--steps", "2"];
    const whole = await json<AttackResult>(...attacked, "--journal", "batches.json");
    expect(await json<AttackResult>(...attacked, "--journal", "batches.json")).toEqual(whole);
    const other = await run(...attacked, "--journal", "batches.json", "--eps", "0.5");
    expect(other.stderr).toContain('must be of the same measurement: "epsilon" is');
  });

  it("compares networks alone and together, with a choice and a star, and draws a page", async () => {
    const result = await json<EnsembleResult>(
      ...[
        "ensemble",
        "?.safetensors",
        ...measured,
        "--select-data",
        "npz:stripes.npz:train@50",
        "--members",
        "2",
      ],
      ...["--ood-data", "npz:stripes.npz:train@20", "--ood-data", "npz:stripes.npz:train@30"],
      ...["--star", "a.safetensors", "--no-align", "--ray-members", "2"],
      ...["-o", "ensemble.json", "--report", "ensemble.html"],
    );
    expect(result.predictors.map(({ name, members }) => [name, members])).toEqual([
      ["single networks", 1],
      ["mean of weights", 1],
      ["ensemble of all", 3],
      ["greedy ensemble", expect.any(Number)],
      ["star", 1],
      ["rays of the star", 2],
    ]);
    expect(result.others.map(({ examples }) => examples)).toEqual([20, 30]);
    const { provenance } = JSON.parse(read("ensemble.json").toString());
    expect(provenance.data.map(({ name }: { readonly name: string }) => name)).toEqual([
      ...["npz:stripes.npz:test", "npz:stripes.npz:train@20", "npz:stripes.npz:train@30"],
      "npz:stripes.npz:train@50",
    ]);
    const page = read("ensemble.html").toString();
    for (const name of ["quality-nll", "quality-ece", "quality-brier", "reliability"])
      expect(page).toContain(`id="figure-${name}"`);
    expect((await run("report", "ensemble.json", "-o", "again.html")).code).toBe(0);
    const mainOf = (html: string) => /<header>.*<h2 id="method"/s.exec(html)?.[0];
    expect(mainOf(page)).toBeDefined();
    expect(mainOf(read("again.html").toString())).toBe(mainOf(page));
  });

  it("prints a table", async () => {
    const { code, stdout } = await run("ensemble", ...networks, ...measured);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Predictor +Networks +Accuracy +NLL \(nats\) +ECE +Brier/m);
    expect(stdout).toMatch(/^ensemble of all +3 +\d/m);
    expect(stdout).not.toContain("greedy");
  });

  it("refuses what does not fit before it predicts", async () => {
    const missing = await run("ensemble", "none-*.safetensors", ...measured);
    expect(missing.stderr).toContain("must match at least one file");
    const page = await run("ensemble", ...networks, ...measured, "--report", "page.txt");
    expect(page.stderr).toContain("its name must end in .html");
    const other = await run(
      "ensemble",
      ...networks,
      ...measured,
      "--diversity",
      "-1",
      "--select-data",
      "npz:stripes.npz:train",
    );
    expect(other.stderr).toContain("It must be a number of at least 0");
    const shared = await run(
      "ensemble",
      ...networks,
      ...measured,
      "--select-data",
      "npz:stripes.npz:test@20",
    );
    expect(shared.code).toBe(2);
    expect(shared.stderr).toContain("shares examples 1 to 20; name ranges apart");
  });
});

describe("isthmus attack", () => {
  const attack = ["attack", "b.safetensors", "c.safetensors", ...measured, "--eps", "0.2"];

  it("shows examples made on one network, on several together and in turn to others", async () => {
    const sources = ["--surrogate", "a.safetensors", "--together", "a.safetensors,b.safetensors"];
    const numbers = ["--steps", "4", "--no-random-start", "--in-turn", "?.safetensors"];
    const result = await json<AttackResult>(
      ...attack,
      ...sources,
      ...numbers,
      ...["-o", "attack.json", "--report", "attack.html"],
    );
    expect(result.sources.map(({ name, mode, networks }) => [name, mode, networks.length])).toEqual([
      ["a.safetensors", "together", 1],
      ["2 networks together", "together", 2],
      ["3 networks in turn", "in-turn", 3],
    ]);
    expect(result).toMatchObject({ pixels: true, epsilon: 0.2, steps: 4, examples: 50 });
    for (const { loss, targets } of result.sources) {
      expect(loss.after).toBeGreaterThan(loss.before);
      expect(targets).toHaveLength(2);
    }
    expect(read("attack.html").toString()).toContain('id="figure-transfer"');
    const { stdout } = await run("report", "attack.json");
    expect(stdout).toMatch(/^Source +b +c/m);
  });

  it.each([
    [[], "give --surrogate, --together or --in-turn"],
    [["--surrogate", "a.safetensors", "--method", "fgsm", "--steps", "2"], 'by fgsm with "steps"'],
    [["--surrogate", "a.safetensors", "--eps", "-1"], "'-1' is invalid. It must be a number of at least 0"],
  ])("refuses %j", async (wrong, message) => {
    const { code, stderr } = await run(...attack, ...wrong);
    expect(code).not.toBe(0);
    expect(stderr).toContain(message);
  });
});

describe("isthmus pareto", () => {
  const pareto = [
    "pareto",
    "--net",
    "mlp:6",
    ...training,
    "--test-data",
    "npz:stripes.npz:test",
    "--layout",
    "beside",
  ];

  it("trains a network a task in one run, and measures the front beside single ones", async () => {
    const rest = ["--epochs", "3", "--points", "5", "--scalarised", "2"];
    const result = await json<ParetoResult>(...pareto, ...rest, "-o", "front", "--report", "front.html");
    expect(result.manifold.points.map(({ shares }) => shares[0])).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect(result.scalarised).toMatchObject({ steps: 2 * result.manifold.steps });
    expect(readdirSync(at("front")).sort()).toEqual([
      ...["graph.onnx", "pareto.json", "task_1.safetensors", "task_2.safetensors"],
    ]);
    expect(read("front.html").toString()).toContain('id="figure-front-losses"');
    const { stdout } = await run("report", "front/pareto.json");
    expect(stdout).toMatch(/^between one network a task: \d.* \(hypervolume of 5 networks/m);
    const before = read("front", "task_1.safetensors");
    await json(...pareto, ...rest, "-o", "again");
    expect(read("again", "task_1.safetensors")).toEqual(before);
  });

  it("goes on in the midst of weighted sums, to the same bytes, and leaves no state behind", async () => {
    const rest = ["--epochs", "4", "--points", "2", "--scalarised", "3", "--save-every", "1"];
    const whole = await json<ParetoResult>(...pareto, ...rest, "-o", "whole-sums");
    expect(whole.scalarised?.points).toHaveLength(3);
    expect(whole.together).toBeGreaterThanOrEqual(
      Math.max(whole.manifold.hypervolume, whole.scalarised?.hypervolume ?? Number.NaN),
    );
    const onStart = killOnceThere(at("killed-sums", "pareto.state.sum-1.safetensors"));
    const command = [...pareto, ...rest, "-o", "killed-sums"];
    expect((await runAlone(command, { cwd: folder, onStart })).code).not.toBe(0);
    expect(readdirSync(at("killed-sums"))).toContain("pareto.state.sum-0.safetensors");
    const later = await json<ParetoResult>(...command, "--resume");
    expect(later.scalarised).toEqual(whole.scalarised);
    expect(read("killed-sums", "task_2.safetensors")).toEqual(read("whole-sums", "task_2.safetensors"));
    expect(readdirSync(at("killed-sums")).sort()).toEqual(readdirSync(at("whole-sums")).sort());
    expect(readdirSync(at("killed-sums"))).toHaveLength(4);
    const { stdout } = await run("report", "killed-sums/pareto.json");
    expect(stdout).toMatch(/^one network a weighted sum: \d.* \(hypervolume of 3 networks, [0-3] better/m);
  });

  it("begins anew without --resume, whatever an interrupted training of weighted sums has left", async () => {
    const rest = ["--epochs", "4", "--points", "2", "--scalarised", "3", "--save-every", "1"];
    const whole = await json<ParetoResult>(...pareto, ...rest, "--seed", "5", "-o", "whole-anew");
    const onStart = killOnceThere(at("anew", "pareto.state.sum-1.safetensors"));
    const command = [...pareto, ...rest, "-o", "anew"];
    expect((await runAlone(command, { cwd: folder, onStart })).code).not.toBe(0);
    const later = await json<ParetoResult>(...command, "--seed", "5");
    expect(later.scalarised).toEqual(whole.scalarised);
    expect(readdirSync(at("anew")).sort()).toEqual(readdirSync(at("whole-anew")).sort());
  });

  it.each([
    [["--scalarised", "1"], "'1' is invalid. It must be 0 for none, or a whole number from 2 to 1000"],
    [["--concentration", "0"], "'0' is invalid. It must be a number above 0"],
    [["--layout", "above"], "Allowed choices are beside, overlaid"],
    [["--loss", "mean-squared-error"], "Unknown option '--loss'"],
    [["--label-smoothing", "0.1"], "Unknown option '--label-smoothing'"],
  ])("refuses %j", async (wrong, message) => {
    const { code, stderr } = await run(...pareto, "--epochs", "1", ...wrong, "-o", "none");
    expect(code).not.toBe(0);
    expect(stderr).toContain(message);
    expect(existsSync(at("none"))).toBe(false);
  });
});
