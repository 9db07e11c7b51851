// Names and shapes of the tensors of a checkpoint of Stable Diffusion XL in one file, computed from the settings of its networks
// (configs/inference/sd_xl_base.yaml of Stability AI's generative-models): 2,515 tensors, 6.9 GB in f16.

type Shapes = [name: string, shape: readonly number[]][];

/** Sizes of an SDXL; other widths make smaller models of the same names. */
interface SdxlSizes {
  /** Channels of the first level of the U-Net, a multiple of 32. */
  readonly channels: number;
  /** Width of the text encoder of OpenAI, a multiple of 64. */
  readonly textWidth: number;
  /** Width of the text encoder of OpenCLIP, a multiple of 64. */
  readonly secondTextWidth: number;
  /** Number of tokens. */
  readonly vocabulary: number;
  /** Channels of the first level of the autoencoder. */
  readonly pictureChannels: number;
}

export const SDXL_SIZES: SdxlSizes = {
  channels: 320,
  textWidth: 768,
  secondTextWidth: 1280,
  vocabulary: 49408,
  pictureChannels: 128,
};

/** Factors of the channels of the U-Net's levels, and transformer blocks in each attention there. */
const LEVELS = [
  [1, 0],
  [2, 2],
  [4, 10],
] as const;

const linear = (name: string, out: number, into: number): Shapes => [
  [`${name}.weight`, [out, into]],
  [`${name}.bias`, [out]],
];
const convolution = (name: string, out: number, into: number, size = 3): Shapes => [
  [`${name}.weight`, [out, into, size, size]],
  [`${name}.bias`, [out]],
];
const norm = (name: string, width: number): Shapes => [
  [`${name}.weight`, [width]],
  [`${name}.bias`, [width]],
];
const count = <T>(n: number, make: (i: number) => readonly T[]) =>
  Array.from({ length: n }, (_, i) => make(i)).flat();

function resnet(name: string, into: number, out: number, time: number): Shapes {
  return [
    ...norm(`${name}.in_layers.0`, into),
    ...convolution(`${name}.in_layers.2`, out, into),
    ...linear(`${name}.emb_layers.1`, out, time),
    ...norm(`${name}.out_layers.0`, out),
    ...convolution(`${name}.out_layers.3`, out, out),
    ...(into === out ? [] : convolution(`${name}.skip_connection`, out, into, 1)),
  ];
}

function attention(name: string, width: number, depth: number, context: number): Shapes {
  const blocks = count(depth, (i): Shapes => {
    const block = `${name}.transformer_blocks.${i}`;
    const heads = (part: string, from: number): Shapes => [
      [`${block}.${part}.to_q.weight`, [width, width]],
      [`${block}.${part}.to_k.weight`, [width, from]],
      [`${block}.${part}.to_v.weight`, [width, from]],
      ...linear(`${block}.${part}.to_out.0`, width, width),
    ];
    return [
      ...heads("attn1", width),
      ...heads("attn2", context),
      ...linear(`${block}.ff.net.0.proj`, 8 * width, width),
      ...linear(`${block}.ff.net.2`, width, 4 * width),
      ...[1, 2, 3].flatMap((k) => norm(`${block}.norm${k}`, width)),
    ];
  });
  const ends = [...linear(`${name}.proj_in`, width, width), ...linear(`${name}.proj_out`, width, width)];
  return [...norm(`${name}.norm`, width), ...ends, ...blocks];
}

function unetShapes({ channels, textWidth, secondTextWidth }: SdxlSizes): Shapes {
  const [prefix, time, context] = ["model.diffusion_model", 4 * channels, textWidth + secondTextWidth];
  const shapes: Shapes = [
    ...linear(`${prefix}.time_embed.0`, time, channels),
    ...linear(`${prefix}.time_embed.2`, time, time),
    ...linear(`${prefix}.label_emb.0.0`, time, secondTextWidth + 6 * 256),
    ...linear(`${prefix}.label_emb.0.2`, time, time),
    ...convolution(`${prefix}.input_blocks.0.0`, channels, 4),
  ];
  const skips = [channels];
  let width = channels;
  let index = 1;
  for (const [level, [factor, depth]] of LEVELS.entries()) {
    for (let i = 0; i < 2; i++, index++) {
      const block = `${prefix}.input_blocks.${index}`;
      shapes.push(...resnet(`${block}.0`, width, factor * channels, time));
      width = factor * channels;
      if (depth > 0) shapes.push(...attention(`${block}.1`, width, depth, context));
      skips.push(width);
    }
    if (level === LEVELS.length - 1) break;
    shapes.push(...convolution(`${prefix}.input_blocks.${index++}.0.op`, width, width));
    skips.push(width);
  }
  shapes.push(
    ...resnet(`${prefix}.middle_block.0`, width, width, time),
    ...attention(`${prefix}.middle_block.1`, width, 10, context),
    ...resnet(`${prefix}.middle_block.2`, width, width, time),
  );
  index = 0;
  for (const [level, [factor, depth]] of [...LEVELS.entries()].reverse()) {
    for (let i = 0; i < 3; i++, index++) {
      const block = `${prefix}.output_blocks.${index}`;
      shapes.push(...resnet(`${block}.0`, width + (skips.pop() ?? 0), factor * channels, time));
      width = factor * channels;
      if (depth > 0) shapes.push(...attention(`${block}.1`, width, depth, context));
      if (level > 0 && i === 2)
        shapes.push(...convolution(`${block}.${depth > 0 ? 2 : 1}.conv`, width, width));
    }
  }
  return [...shapes, ...norm(`${prefix}.out.0`, channels), ...convolution(`${prefix}.out.2`, 4, channels)];
}

function textShapes({ textWidth, secondTextWidth: wide, vocabulary }: SdxlSizes): Shapes {
  const first = "conditioner.embedders.0.transformer.text_model";
  const second = "conditioner.embedders.1.model";
  const layers = count(12, (i): Shapes => {
    const layer = `${first}.encoder.layers.${i}`;
    const parts = ["k_proj", "out_proj", "q_proj", "v_proj"];
    return [
      ...norm(`${layer}.layer_norm1`, textWidth),
      ...norm(`${layer}.layer_norm2`, textWidth),
      ...linear(`${layer}.mlp.fc1`, 4 * textWidth, textWidth),
      ...linear(`${layer}.mlp.fc2`, textWidth, 4 * textWidth),
      ...parts.flatMap((part) => linear(`${layer}.self_attn.${part}`, textWidth, textWidth)),
    ];
  });
  const blocks = count(32, (i): Shapes => {
    const block = `${second}.transformer.resblocks.${i}`;
    return [
      [`${block}.attn.in_proj_weight`, [3 * wide, wide]],
      [`${block}.attn.in_proj_bias`, [3 * wide]],
      ...linear(`${block}.attn.out_proj`, wide, wide),
      ...norm(`${block}.ln_1`, wide),
      ...norm(`${block}.ln_2`, wide),
      ...linear(`${block}.mlp.c_fc`, 4 * wide, wide),
      ...linear(`${block}.mlp.c_proj`, wide, 4 * wide),
    ];
  });
  return [
    [`${first}.embeddings.position_embedding.weight`, [77, textWidth]],
    [`${first}.embeddings.token_embedding.weight`, [vocabulary, textWidth]],
    ...layers,
    ...norm(`${first}.final_layer_norm`, textWidth),
    ...norm(`${second}.ln_final`, wide),
    [`${second}.logit_scale`, []],
    [`${second}.positional_embedding`, [77, wide]],
    [`${second}.text_projection`, [wide, wide]],
    [`${second}.token_embedding.weight`, [vocabulary, wide]],
    ...blocks,
  ];
}

function vaeShapes({ pictureChannels }: SdxlSizes): Shapes {
  const prefix = "first_stage_model";
  const widths = [1, 2, 4, 4].map((factor) => factor * pictureChannels);
  const top = 4 * pictureChannels;
  const block = (name: string, into: number, out: number): Shapes => [
    ...norm(`${name}.norm1`, into),
    ...convolution(`${name}.conv1`, out, into),
    ...norm(`${name}.norm2`, out),
    ...convolution(`${name}.conv2`, out, out),
    ...(into === out ? [] : convolution(`${name}.nin_shortcut`, out, into, 1)),
  ];
  const middle = (half: string): Shapes => [
    ...block(`${half}.mid.block_1`, top, top),
    ...norm(`${half}.mid.attn_1.norm`, top),
    ...["q", "k", "v", "proj_out"].flatMap((part) => convolution(`${half}.mid.attn_1.${part}`, top, top, 1)),
    ...block(`${half}.mid.block_2`, top, top),
  ];
  const [encoder, decoder] = [`${prefix}.encoder`, `${prefix}.decoder`];
  const shapes = [
    ...convolution(`${encoder}.conv_in`, pictureChannels, 3),
    ...middle(encoder),
    ...middle(decoder),
  ];
  let width = pictureChannels;
  for (const [level, out] of widths.entries()) {
    for (let i = 0; i < 2; i++, width = out)
      shapes.push(...block(`${encoder}.down.${level}.block.${i}`, width, out));
    if (level < 3) shapes.push(...convolution(`${encoder}.down.${level}.downsample.conv`, out, out));
  }
  shapes.push(...norm(`${encoder}.norm_out`, top), ...convolution(`${encoder}.conv_out`, 8, top));
  shapes.push(...convolution(`${decoder}.conv_in`, top, 4));
  for (const [level, out] of [...widths.entries()].reverse()) {
    for (let i = 0; i < 3; i++, width = out)
      shapes.push(...block(`${decoder}.up.${level}.block.${i}`, width, out));
    if (level > 0) shapes.push(...convolution(`${decoder}.up.${level}.upsample.conv`, out, out));
  }
  return [
    ...shapes,
    ...norm(`${decoder}.norm_out`, pictureChannels),
    ...convolution(`${decoder}.conv_out`, 3, pictureChannels),
    ...convolution(`${prefix}.quant_conv`, 8, 8, 1),
    ...convolution(`${prefix}.post_quant_conv`, 4, 4, 1),
  ];
}

/** Lists the names and shapes of all tensors. */
export function listSdxlShapes(sizes: SdxlSizes = SDXL_SIZES): ReadonlyMap<string, readonly number[]> {
  return new Map([...unetShapes(sizes), ...textShapes(sizes), ...vaeShapes(sizes)]);
}
