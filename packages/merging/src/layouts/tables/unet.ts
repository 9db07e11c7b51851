import { at } from "@isthmus/core";
import { countBlocks, type NameRow, pair, rowsOf, type Side } from "../name-table.ts";
import { IN_RESNET, OUTSIDE, toDiffusersBlocks, toOriginalBlocks } from "./unet-blocks.ts";

const RESNET = IN_RESNET.map(([original, diffusers]) =>
  pair(original, diffusers, { presence: diffusers === "conv_shortcut" ? "some-blocks" : "always" }),
);
const SAMPLER = [pair("", "")];

/** Modules of an attention, which have the same names in both programs. */
const ATTENTION = ["norm", "proj_in", "proj_out"].map((name) => pair(name, name));
const TRANSFORMER = [
  ...["norm1", "norm2", "norm3", "ff.net.0.proj", "ff.net.2"].map((name) => pair(name, name)),
  ...["attn1", "attn2"].flatMap((attention) => [
    ...["to_q", "to_k", "to_v"].map((part) =>
      pair(`${attention}.${part}`, `${attention}.${part}`, { tensors: ["weight"] }),
    ),
    pair(`${attention}.to_out.0`, `${attention}.to_out.0`),
  ]),
];

/** A block of a U-Net, by its name in diffusers. */
interface UnetBlock {
  readonly name: string;
  readonly layers: number;
  readonly attentions: number;
  readonly sampler: string | undefined;
}

/**
 * Lists the tensors of a U-Net of Stable Diffusion 1 or XL, as deep as the one with such names. A block has
 * attention behind all of its layers or behind none; the last one has no change of size.
 */
export function unetRows(names: readonly string[], side: Side): readonly NameRow[] {
  const modules =
    side === "diffusers" ? names : names.map((name) => toDiffusersBlocks(name.replace(/\.[^.]*$/, "")) ?? "");
  const count = Math.max(...["down", "up"].map((way) => countOf(modules, `${way}_blocks`)));
  const blocks = Array.from({ length: count }, (_, i): UnetBlock[] => {
    const samplerIn = (way: string) => (i < count - 1 ? `${way}samplers.0.conv` : undefined);
    return [
      { name: `down_blocks.${i}`, layers: 2, attentions: 2, sampler: samplerIn("down") },
      { name: `up_blocks.${i}`, layers: 3, attentions: 3, sampler: samplerIn("up") },
    ];
  }).flat();
  const middle = { name: "mid_block", layers: 2, attentions: 1, sampler: undefined };
  const outside = OUTSIDE.map(([original, diffusers]) =>
    pair(original, diffusers, {
      ...(diffusers.startsWith("add_") && { presence: "some-models", group: "add_embedding" }),
    }),
  );
  return [
    ...rowsOf(outside, ["", ""]),
    ...[...blocks, middle].flatMap((block) => rowsOfBlock(block, modules)),
  ];
}

function countOf(names: readonly string[], word: string): number {
  return countBlocks({ block: ["", `${word}.#.`], modules: [] }, names, "diffusers");
}

function rowsOfBlock(
  { name, layers, attentions, sampler }: UnetBlock,
  modules: readonly string[],
): readonly NameRow[] {
  const inside = modules.filter((module) => module.startsWith(`${name}.`));
  const resnets = Array.from({ length: layers }, (_, i) => rowsIn(`${name}.resnets.${i}`, RESNET));
  const hasAttention = inside.some((module) => module.startsWith(`${name}.attentions.`));
  const depth = Math.max(
    ...Array.from({ length: attentions }, (_, i) =>
      countOf(inside, `${name}.attentions.${i}.transformer_blocks`),
    ),
    1,
  );
  const attention = Array.from({ length: hasAttention ? attentions : 0 }, (_, i) => {
    const of = `${name}.attentions.${i}`;
    const deep = Array.from({ length: depth }, (_, j) =>
      rowsIn(`${of}.transformer_blocks.${j}`, TRANSFORMER),
    );
    return [...rowsIn(of, ATTENTION), ...deep.flat()];
  });
  // A change of size stands behind the attention of its block, if there is any.
  const change = sampler === undefined ? [] : rowsIn(`${name}.${sampler}`, SAMPLER, hasAttention ? 0 : 1);
  return [...resnets, ...attention, change].flat();
}

/** Lists the tensors of modules inside a module of diffusers, of whose original names one is chosen. */
function rowsIn(name: string, modules: typeof RESNET, choice = 0): readonly NameRow[] {
  const isWhole = modules === SAMPLER;
  const originals = toOriginalBlocks(isWhole ? name : `${name}.x`);
  const original = at(originals, Math.min(choice, originals.length - 1), "name");
  return rowsOf(modules, isWhole ? [original, name] : [original.slice(0, -1), `${name}.`]);
}
