import { createCheckpoint, createTensor, entry } from "@isthmus/core";
import { parseNetwork } from "@isthmus/zoo";
import { describe, expect, it } from "vitest";
import { personalNetwork } from "./personal-network.ts";
import { treatLayers } from "./treat-layers.ts";
import type { Treatment } from "./treatment.ts";
import { resolveTreatments } from "./treatments.ts";

const { graph, initialize } = parseNetwork("resnet8:w4", { exampleShape: [1, 8, 8], classes: 4 });
const network = initialize(0);
const names = [...network.tensors.keys()];
const countOf = (treatments: ReadonlyMap<string, string>, treatment: string) =>
  names.filter((name) => treatments.get(name) === treatment);

describe("treatLayers()", () => {
  it("treatLayers() shares everything but running statistics, which are averaged", () => {
    const treatments = treatLayers(graph, network);
    const averaged = countOf(treatments, "average");
    expect(averaged.length).toBeGreaterThan(0);
    expect(averaged.every((name) => /running|mean|var/.test(name))).toBe(true);
    expect(countOf(treatments, "share").length).toBe(names.length - averaged.length);
    expect(countOf(treatLayers(graph, network, { statistics: "keep" }), "keep")).toEqual(averaged);
  });

  it("treatLayers() recognises batch norms by their names where there is no graph", () => {
    const tensor = createTensor("f32", [1], new Float32Array(1));
    const norm = ["weight", "bias", "running_mean", "running_var"].map((name) => `bn.${name}`);
    const named = createCheckpoint(Object.fromEntries([...norm, "fc.weight"].map((name) => [name, tensor])));
    const treatments = treatLayers(undefined, named, { policy: "fedbn" });
    expect([...treatments.values()]).toEqual(["keep", "keep", "keep", "keep", "share"]);
    expect(treatLayers(undefined, named).get("bn.running_var")).toBe("average");
  });

  it("treatLayers() keeps batch norms, the head or all but the head", () => {
    const head = names.at(-1)?.replace(/\.[^.]*$/, "") as string;
    const kept = countOf(treatLayers(graph, network, { policy: "fedbn" }), "keep");
    const statistics = countOf(treatLayers(graph, network), "average");
    expect(kept.length).toBe(2 * statistics.length);
    const fedper = countOf(treatLayers(graph, network, { policy: "fedper", head }), "keep");
    expect(fedper).toEqual(names.filter((name) => name.startsWith(`${head}.`)));
    expect(countOf(treatLayers(graph, network, { policy: "lg", head }), "share")).toEqual(fedper);
  });

  it("treatLayers() follows patterns before the policy", () => {
    const [first] = names as [string];
    const layers = new Map([[first, "keep"]] as const);
    expect(countOf(treatLayers(graph, network, { layers }), "keep")).toEqual([first]);
  });

  it("treatLayers() shares both factors of LoRA or one, and refuses factors that are averaged one by one", () => {
    const tensor = createTensor("f32", [2, 2], new Float32Array(4));
    const networkOf = (...names: string[]) => createCheckpoint(new Map(names.map((name) => [name, tensor])));
    const adapter = networkOf("q.lora_A.weight", "q.lora_B.weight", "q.alpha", "head.weight");
    const treated = (layers: Record<string, Treatment>) => [
      ...treatLayers(undefined, adapter, { layers: new Map(Object.entries(layers)) }).values(),
    ];
    expect(treated({})).toEqual(["share", "share", "keep", "share"]);
    expect(treated({ "*.lora_A.weight": "keep" })).toEqual(["keep", "share", "keep", "share"]);
    expect(() => treated({ "*.lora_A.weight": "average" })).toThrow(
      /"q" by an adapter is a product of "\.lora_A\.weight", "\.lora_B\.weight".*"\*\.lora_A\.weight" keep/,
    );
    for (const factors of [
      ["q.hada_w1_a", "q.hada_w1_b"],
      ["q.lora_mid.weight", "q.lora_up.weight"],
    ]) {
      expect(() => resolveTreatments(networkOf(...factors))).toThrow(
        /mean of factors is not the mean of products/,
      );
    }
  });

  it("treatLayers() refuses what it does not know", () => {
    expect(() => treatLayers(graph, network, { policy: "fedper" })).toThrow(
      /must know which layers are the head/,
    );
    expect(() => treatLayers(graph, network, { policy: "fed" as "all" })).toThrow(
      /must be one of all, fedbn/,
    );
    expect(() => treatLayers(graph, network, { layers: new Map([["no.such", "keep"]]) })).toThrow(/no.such/);
    const layers = new Map([["*", "drop" as "keep"]]);
    expect(() => treatLayers(graph, network, { layers })).toThrow(/must be one of share, average, keep/);
  });
});

describe("personalNetwork()", () => {
  it("personalNetwork() has the client's kept layers and the others of the global network", async () => {
    const tensor = (x: number) => createTensor("f32", [1], Float32Array.of(x));
    const of = (x: number) => createCheckpoint({ body: tensor(x), head: tensor(x) });
    const personal = personalNetwork(of(1), of(2), new Map([["head", "keep"]]));
    expect((await personal.read("head")).data).toEqual(Float32Array.of(2));
    expect((await personal.read("body")).data).toEqual(Float32Array.of(1));
    expect(entry(personal.tensors, "body", "tensor").dtype).toBe("f32");
  });
});
