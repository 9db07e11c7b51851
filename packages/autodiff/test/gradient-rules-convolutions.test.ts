import type { Attribute } from "@isthmus/graph";
import { int, ints, string } from "@isthmus/graph/ir";
import fc from "fast-check";
import { describe, test } from "vitest";
import { checkGradient, checkHessian, type GradientCase } from "../../../test/helpers/check-gradient.ts";
import { type AxisCase, axisCases, type Padding, paddings, severalAxes, upTo } from "./window-cases.ts";

interface ConvAxis extends AxisCase {
  readonly outputPad: number;
}

interface ConvCase {
  readonly axes: readonly ConvAxis[];
  readonly batch: number;
  readonly group: number;
  readonly inPerGroup: number;
  readonly outPerGroup: number;
  readonly automatic: Padding;
  readonly bias: boolean;
}

const convAxes = fc
  .tuple(axisCases(3), upTo(2))
  .map(([axis, outputPad]): ConvAxis => ({ ...axis, outputPad }));

const convCases = fc.record<ConvCase>({
  axes: severalAxes(convAxes),
  batch: upTo(2, 1),
  group: fc.constantFrom(1, 1, 2, 3),
  inPerGroup: upTo(2, 1),
  outPerGroup: upTo(2, 1),
  automatic: paddings,
  bias: fc.boolean(),
});

/** Automatic padding knows no dilation in onnxruntime. */
const dilationOf = ({ automatic }: ConvCase, { dilation }: AxisCase) =>
  automatic.startsWith("SAME") ? 1 : dilation;

function padsOf({ automatic, axes }: ConvCase): { before: number[]; after: number[] } {
  const isExplicit = automatic === "NOTSET";
  return {
    before: axes.map(({ before }) => (isExplicit ? before : 0)),
    after: axes.map(({ after }) => (isExplicit ? after : 0)),
  };
}

function attributesOf(given: ConvCase): Record<string, Attribute> {
  const { axes, group, automatic } = given;
  const { before, after } = padsOf(given);
  return {
    kernel_shape: ints(axes.map(({ taps }) => taps)),
    strides: ints(axes.map(({ stride }) => stride)),
    dilations: ints(axes.map((axis) => dilationOf(given, axis))),
    group: int(group),
    ...(automatic === "NOTSET" ? { pads: ints([...before, ...after]) } : { auto_pad: string(automatic) }),
  };
}

function buildConv(given: ConvCase): GradientCase["build"] {
  const { axes, batch, group, inPerGroup, outPerGroup, automatic, bias } = given;
  const { before, after } = padsOf(given);
  const reach = axes.map((axis) => dilationOf(given, axis) * (axis.taps - 1) + 1);
  const extents = axes.map(({ spare }, i) => Math.max(1, reach[i]! - before[i]! - after[i]!) + spare);
  const counts = axes.map(({ stride }, i) =>
    automatic.startsWith("SAME")
      ? Math.ceil(extents[i]! / stride)
      : Math.floor((extents[i]! + before[i]! + after[i]! - reach[i]!) / stride) + 1,
  );
  return (b, dtype) => {
    const x = b.input("x", { dtype, shape: [batch, group * inPerGroup, ...extents] });
    const w = b.weight("w", {
      dtype,
      shape: [group * outPerGroup, inPerGroup, ...axes.map(({ taps }) => taps)],
    });
    const inputs = bias ? [x, w, b.weight("b", { dtype, shape: [group * outPerGroup] })] : [x, w];
    const shape = [batch, group * outPerGroup, ...counts];
    return b.emit("Conv", inputs, [{ dtype, shape }], { attributes: attributesOf(given) })[0]!;
  };
}

/** Smaller of padding at the end and what is left to pad, so that every result has an element. */
function buildConvTranspose(given: ConvCase): GradientCase["build"] {
  const { axes, batch, group, inPerGroup, outPerGroup, automatic, bias } = given;
  const counts = axes.map(({ spare }) => 1 + spare);
  const outputPads = axes.map((axis) => Math.min(axis.outputPad, axis.stride - 1));
  const full = axes.map(
    (axis, i) =>
      axis.stride * (counts[i]! - 1) + dilationOf(given, axis) * (axis.taps - 1) + 1 + outputPads[i]!,
  );
  const { before, after } = padsOf(given);
  const fitting = full.map((extent, i) => (extent - before[i]! - after[i]! >= 1 ? 1 : 0));
  const extents = axes.map(({ stride }, i) =>
    automatic.startsWith("SAME") ? counts[i]! * stride : full[i]! - fitting[i]! * (before[i]! + after[i]!),
  );
  const cut = (pads: readonly number[]) => pads.map((pad, i) => pad * fitting[i]!);
  return (b, dtype) => {
    const x = b.input("x", { dtype, shape: [batch, group * outPerGroup, ...counts] });
    const w = b.weight("w", {
      dtype,
      shape: [group * outPerGroup, inPerGroup, ...axes.map(({ taps }) => taps)],
    });
    const inputs = bias ? [x, w, b.weight("b", { dtype, shape: [group * inPerGroup] })] : [x, w];
    const attributes = {
      ...attributesOf(given),
      output_padding: ints(outputPads),
      ...(automatic === "NOTSET" ? { pads: ints([...cut(before), ...cut(after)]) } : {}),
      // Which extents automatic padding leads to is written out, as engines disagree.
      ...(automatic.startsWith("SAME") ? { output_shape: ints(extents) } : {}),
    };
    return b.emit("ConvTranspose", inputs, [{ dtype, shape: [batch, group * inPerGroup, ...extents] }], {
      attributes,
    })[0]!;
  };
}

const BUILDERS = { Conv: buildConv, ConvTranspose: buildConvTranspose };

describe.each(Object.entries(BUILDERS))("rule of %s", (_, build) => {
  test("gradient() equals differences for all attributes", async () => {
    const property = fc.asyncProperty(convCases, (given) =>
      checkGradient({ build: build(given), precision: "multilinear" }),
    );
    await fc.assert(property, { numRuns: 36 });
  });

  test("hessianVectorProduct() equals differences of gradients", async () => {
    const property = fc.asyncProperty(convCases, (given) =>
      checkHessian({ build: build(given), precision: "multilinear" }),
    );
    await fc.assert(property, { numRuns: 20 });
  });
});
