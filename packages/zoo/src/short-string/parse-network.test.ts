import { InputError } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { describeNetworks } from "./describe-networks.ts";
import { NETWORK_FORMS } from "./forms.ts";
import { parseNetwork, parseNetworkName } from "./parse-network.ts";

const image = { exampleShape: [3, 16, 16], classes: 10 };
const text = { exampleShape: [8], classes: 12 };

const maybe = (prefix: string, arbitrary: fc.Arbitrary<number | string>) =>
  fc.option(arbitrary.map((value) => `${prefix}${value}`));
const factor = fc.integer({ min: 2, max: 20 }).map((eighths) => eighths / 32);
const share = fc.integer({ min: 0, max: 99 }).map((percent) => percent / 100);
const joined = (first: fc.Arbitrary<string>, ...rest: fc.Arbitrary<string | null>[]) =>
  fc.tuple(first, fc.tuple(...rest), fc.nat()).map(([name, segments, turn]) => {
    const given = segments.filter((segment) => segment !== null);
    const at = given.length === 0 ? 0 : turn % given.length;
    return [name, ...given.slice(at), ...given.slice(0, at)].join(":");
  });
const norms = fc.option(fc.constantFrom("batch", "layer", "group"));
const widths = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.option(fc.integer({ min: 1, max: 3 }))), {
    minLength: 1,
    maxLength: 4,
  })
  .map((runs) => runs.map(([width, count]) => (count === null ? width : `${width}x${count}`)).join("-"));
const ties = fc.option(fc.constantFrom("tied", "untied"));

/** Short strings of every family, with segments in any order, and what they are built for. */
const specs = fc.oneof(
  fc.tuple(
    fc.oneof(
      joined(
        widths.map((text) => `mlp:${text}`),
        fc.option(fc.constantFrom("relu", "gelu", "silu", "tanh", "sigmoid")),
        maybe("drop", share),
      ),
      fc.constant("lenet"),
      joined(
        fc.constantFrom("vgg:11", "vgg:13", "vgg:1-1-2-2-2", "vgg:1-2"),
        maybe("w", factor),
        fc.option(fc.constantFrom("batch", "layer", "group", "none")),
        maybe("drop", share),
      ),
      joined(fc.constantFrom("resnet8", "resnet20", "resnet18", "resnet50"), maybe("w", factor), norms),
      joined(
        fc.constantFrom("vit:w12:h3", "vit:w12:h2"),
        maybe("p", fc.constantFrom(4, 8, 16)),
        maybe("d", fc.integer({ min: 1, max: 2 })),
        maybe("f", fc.constantFrom(24, 48)),
        maybe("drop", share),
      ),
    ),
    fc.constant(image),
  ),
  fc.tuple(
    fc.oneof(
      joined(
        fc.constantFrom("gpt:w12:h3:d1", "gpt:d2:h2:w12"),
        maybe("c", fc.constant(8)),
        maybe("f", fc.constantFrom(24, 48)),
        ties,
        maybe("drop", share),
      ),
      joined(
        fc.constantFrom("llama:w16:h4:d1", "llama:d2:h2:w16"),
        maybe("kv", fc.constantFrom(1, 2)),
        maybe("c", fc.constant(8)),
        maybe("f", fc.constantFrom(24, 48)),
        ties,
        maybe("theta", fc.constantFrom(100, 10_000)),
      ),
    ),
    fc.constant(text),
  ),
);

describe("parseNetwork()", () => {
  it("parseNetwork() makes the same network of the spec of what it made", () => {
    fc.assert(
      fc.property(specs, ([spec, shape]) => {
        const network = parseNetwork(spec, shape);
        const again = parseNetwork(network.spec, shape);
        expect(again.spec).toBe(network.spec);
        expect(again.graph).toEqual(network.graph);
        expect(network.spec.split(":").length).toBeLessThanOrEqual(spec.split(":").length + 1);
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    ["mlp:512-512-512", image, "mlp:512x3"],
    ["mlp:8:drop0:relu", image, "mlp:8"],
    ["mlp:8:drop0.50:tanh", image, "mlp:8:tanh:drop0.5"],
    ["vgg:layer:1-1-2-2-2:w0.125", image, "vgg:11:w0.125:layer"],
    ["resnet20:batch:w1", image, "resnet20"],
    ["resnet18:group:w0.25", image, "resnet18:w0.25:group"],
    ["vit:h4:w64:d1:p8:f256", image, "vit:p8:d1:w64:h4"],
    ["gpt:d1:w16:h4", text, "gpt:d1:w16:h4:c8"],
    ["llama:kv4:h4:w16:d1:f48", text, "llama:d1:w16:h4:c8"],
  ])("parseNetwork() writes %s in one way", (spec, shape, canonical) => {
    expect(parseNetwork(spec, shape).spec).toBe(canonical);
  });

  it.each([
    ["", /there is none of the name ""; a network is one of mlp:<widths>.*llama/],
    ["lenet:6", /it has no segment of the form "6"; it is lenet, for example lenet/],
    ["resnet21", /there is none of the name "resnet21"; .*resnet8\|14\|20/],
    ["resnet", /there is none of the name "resnet"/],
    ["mlp", /it must give the widths; it is mlp:<widths>\[:relu.*, for example mlp:512x3/],
    ["mlp:", /it has no segment of the form ""/],
    ["mlp:0", /widths must be whole numbers from 1 to 1048576, at least 1 and at most 1024: "0"/],
    ["mlp:5x0", /no segment of the form "5x0"/],
    ["mlp:5x2000", /no segment of the form "5x2000"/],
    ["mlp:5:swish", /no segment of the form "swish"/],
    ["mlp:5:drop1", /dropout must be a number from 0 to 0.99: "drop1"/],
    ["mlp:5:relu:tanh", /activation is given twice, the second time by "tanh"/],
    ["vgg:12", /no segment of the form "12"; it is vgg:<depth>/],
    ["resnet20:none", /no segment of the form "none"/],
    ["resnet20:w0", /width must be a number from 0.015625 to 64: "w0"/],
    ["vit:p-1", /no segment of the form "p-1"/],
    ["vit:p1.5", /no segment of the form "p1.5"/],
    ["vit:d1e9", /no segment of the form "d1e9"/],
    ["vit:d99999", /depth must be a whole number from 1 to 1024: "d99999"/],
  ])("parseNetwork() refuses %j and says what is allowed", (spec, message) => {
    expect(() => parseNetwork(spec, image)).toThrow(InputError);
    expect(() => parseNetwork(spec, image)).toThrow(message);
  });

  it.each([
    [
      "vgg:11",
      { exampleShape: [784], classes: 10 },
      /Cannot build "vgg" for examples \[784\] as they must be images/,
    ],
    ["gpt:w12:h3", image, /Cannot build "gpt" for examples \[3, 16, 16\] as they must be rows of tokens/],
    ["gpt:w12:h3:c9", text, /examples of 8 tokens as they must be as long as its context, 9/],
  ])("parseNetwork() refuses %s for examples that do not fit", (spec, shape, message) => {
    expect(() => parseNetwork(spec, shape)).toThrow(InputError);
    expect(() => parseNetwork(spec, shape)).toThrow(message);
  });

  it.each([
    ["vit:w12:h5", image, /heads must divide width: 5 does not divide 12/],
    ["vit:p5:w12:h3", image, /patch must divide the image's height: 5 does not divide 16/],
    ["llama:w12:h4", text, /twice the heads must divide width: 8 does not divide 12/],
    ["llama:w16:h4:kv3", text, /groups must divide heads: 3 does not divide 4/],
    ["mlp:5", { exampleShape: [], classes: 10 }, /extents of examples must be whole numbers of at least 1/],
    ["mlp:5", { exampleShape: [4, 0], classes: 10 }, /they are \[4, 0\]/],
    ["mlp:5", { exampleShape: [4], classes: -1 }, /at least 1 class: got -1/],
  ])("parseNetwork() refuses %s where numbers contradict each other", (spec, shape, message) => {
    expect(() => parseNetwork(spec, shape)).toThrow(RangeError);
    expect(() => parseNetwork(spec, shape)).toThrow(message);
  });
});

describe("parseNetworkName()", () => {
  it("parseNetworkName() tells the context without building anything", () => {
    expect(parseNetworkName("gpt:d1:c64").context).toBe(64);
    expect(parseNetworkName("gpt:d1").context).toBeUndefined();
    expect(parseNetworkName("resnet20:w4:layer")).toEqual({
      spec: "resnet20:w4:layer",
      family: "small-resnet",
      options: { depth: 20, width: 4, norm: "layer" },
      context: undefined,
    });
  });
});

describe("describeNetworks()", () => {
  it("describeNetworks() has every form, segment and example, and the examples are networks", () => {
    const help = describeNetworks();
    for (const form of NETWORK_FORMS) expect(help).toContain(form);
    const examples = [...help.matchAll(/^ {2}for example (\S+)$/gm)].map(([, example]) => example ?? "");
    expect(examples).toHaveLength(NETWORK_FORMS.length);
    for (const example of examples) expect(() => parseNetworkName(example)).not.toThrow();
    expect(Math.max(...help.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(120);
  });
});
