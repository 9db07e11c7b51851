import { countBlocks, type NameRow, pair, rowsOf, type Side } from "../name-table.ts";

const named = (...names: readonly string[]) => names.map((name) => pair(name, name));
const RESNET = [
  ...named("norm1", "conv1", "norm2", "conv2"),
  pair("nin_shortcut", "conv_shortcut", { presence: "some-blocks" }),
];
const ATTENTION = [
  pair("norm", "group_norm"),
  ...["q", "k", "v"].map((part) => pair(part, `to_${part}`, { form: "flat" })),
  pair("proj_out", "to_out.0", { form: "flat" }),
];
const HALF = [...named("conv_in", "conv_out"), pair("norm_out", "conv_norm_out")];

/** The two halves of an autoencoder, whose blocks and changes of size have names of their own. */
const HALVES = [
  { half: "encoder", original: "down", diffusers: "down_blocks", sampler: ["downsample", "downsamplers.0"] },
  { half: "decoder", original: "up", diffusers: "up_blocks", sampler: ["upsample", "upsamplers.0"] },
] as const;

/**
 * Lists the tensors of an autoencoder as deep as the one with such names. The original program counts the
 * blocks of the decoder from the image on, and diffusers counts them from the latents on.
 *
 * Source: diffusers, `convert_ldm_vae_checkpoint`.
 */
export function vaeRows(names: readonly string[], side: Side): readonly NameRow[] {
  const rows = HALVES.flatMap(({ half, original, diffusers, sampler: [change, sampler] }) => {
    const before = `${half}.`;
    const count = countBlocks(tableOf(`${before}${original}`, `${before}${diffusers}`), names, side);
    const places = Array.from({ length: count }, (_, i) => {
      const there = half === "encoder" ? i : count - 1 - i;
      return [`${before}${original}.${there}`, `${before}${diffusers}.${i}`] as const;
    });
    const layers = places.map(([from, to]) =>
      countBlocks(tableOf(`${from}.block`, `${to}.resnets`), names, side),
    );
    const blocks = places.map(([from, to], i) => {
      const resnets = Array.from({ length: Math.max(...layers) }, (_, j) =>
        rowsOf(RESNET, [`${from}.block.${j}.`, `${to}.resnets.${j}.`]),
      );
      // The last block of each half has no change of size.
      const isLast = i === count - 1;
      return [
        ...resnets.flat(),
        ...(isLast ? [] : rowsOf(named("conv"), [`${from}.${change}.`, `${to}.${sampler}.`])),
      ];
    });
    const middle = [0, 1].map((i) =>
      rowsOf(RESNET, [`${before}mid.block_${i + 1}.`, `${before}mid_block.resnets.${i}.`]),
    );
    const attention = rowsOf(ATTENTION, [`${before}mid.attn_1.`, `${before}mid_block.attentions.0.`]);
    return [...rowsOf(HALF, [before, before]), ...blocks.flat(), ...middle.flat(), ...attention];
  });
  const outside = ["quant_conv", "post_quant_conv"].map((name) =>
    pair(name, name, { presence: "some-models" }),
  );
  return [...rows, ...rowsOf(outside, ["", ""])];
}

const tableOf = (original: string, diffusers: string) => ({
  block: [`${original}.#.`, `${diffusers}.#.`] as const,
  modules: [],
});
