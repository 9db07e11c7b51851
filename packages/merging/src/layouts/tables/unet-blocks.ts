/**
 * Names of modules inside a resnet block of a U-Net, in the original Stable Diffusion and in diffusers.
 */
export const IN_RESNET: readonly (readonly [string, string])[] = [
  ["in_layers.0", "norm1"],
  ["in_layers.2", "conv1"],
  ["emb_layers.1", "time_emb_proj"],
  ["out_layers.0", "norm2"],
  ["out_layers.3", "conv2"],
  ["skip_connection", "conv_shortcut"],
];

/** Names of modules outside blocks, in the original Stable Diffusion and in diffusers. */
export const OUTSIDE: readonly (readonly [string, string])[] = [
  ["time_embed.0", "time_embedding.linear_1"],
  ["time_embed.2", "time_embedding.linear_2"],
  ["label_emb.0.0", "add_embedding.linear_1"],
  ["label_emb.0.2", "add_embedding.linear_2"],
  ["input_blocks.0.0", "conv_in"],
  ["out.0", "conv_norm_out"],
  ["out.2", "conv_out"],
];

const MIDDLE: readonly (readonly [string, string])[] = [
  ["middle_block.0", "mid_block.resnets.0"],
  ["middle_block.1", "mid_block.attentions.0"],
  ["middle_block.2", "mid_block.resnets.1"],
];

/** Number of inner blocks in each block of a U-Net, with the one that changes the size. */
const PER_BLOCK = 3;

/**
 * Returns the name in diffusers of a module of a U-Net that has the names of the original Stable Diffusion;
 * undefined if the module is not in such a U-Net. Stable Diffusion 1, 2 and XL have two inner blocks and one
 * change of size in each block.
 *
 * Source: diffusers, `_maybe_map_sgm_blocks_to_diffusers`.
 */
export function toDiffusersBlocks(path: string): string | undefined {
  const outside = OUTSIDE.find(([original]) => path === original);
  if (outside !== undefined) return outside[1];
  const middle = MIDDLE.find(([original]) => path.startsWith(`${original}.`));
  if (middle !== undefined) return middle[1] + inDiffusers(path.slice(middle[0].length), middle[1]);
  const [, side, index = "", inner = "", rest = ""] =
    /^(input|output)_blocks\.(\d{1,3})\.(\d)(\..+)$/.exec(path) ?? [];
  if (side === undefined) return undefined;
  const n = Number(index) - (side === "input" ? 1 : 0);
  const [block, layer] = [Math.floor(n / PER_BLOCK), n % PER_BLOCK];
  if (side === "input" && rest === ".op") return `down_blocks.${block}.downsamplers.0.conv`;
  // The last inner block of an output block without attention is the one that changes the size.
  if (side === "output" && rest === ".conv" && inner !== "0") return `up_blocks.${block}.upsamplers.0.conv`;
  if (inner !== "0" && inner !== "1") return undefined;
  const group = `${inner === "0" ? "resnets" : "attentions"}.${layer}`;
  return `${side === "input" ? "down" : "up"}_blocks.${block}.${group}${inDiffusers(rest, group)}`;
}

function inDiffusers(rest: string, group: string): string {
  if (!group.includes("resnets")) return rest;
  const pair = IN_RESNET.find(([original]) => rest === `.${original}`);
  return pair === undefined ? rest : `.${pair[1]}`;
}

/**
 * Returns the names in the original Stable Diffusion of a module of a U-Net that has the names of diffusers:
 * none if the module is not in such a U-Net, and two for a change of size in an output block, whose position
 * depends on whether the block has attention.
 */
export function toOriginalBlocks(path: string): readonly string[] {
  const outside = OUTSIDE.find(([, name]) => path === name);
  if (outside !== undefined) return [outside[0]];
  const middle = MIDDLE.find(([, name]) => path.startsWith(`${name}.`));
  if (middle !== undefined) return [middle[0] + inOriginal(path.slice(middle[1].length), middle[1])];
  const [, side, block = "", group = "", layer = "", rest = ""] =
    /^(down|up)_blocks\.(\d{1,3})\.(resnets|attentions|downsamplers|upsamplers)\.(\d{1,3})(\..+)$/.exec(
      path,
    ) ?? [];
  if (side === undefined) return [];
  const first = PER_BLOCK * Number(block) + (side === "down" ? 1 : 0);
  if (group === "downsamplers") return [`input_blocks.${first + 2}.0.op`];
  if (group === "upsamplers") return [2, 1].map((inner) => `output_blocks.${first + 2}.${inner}.conv`);
  const inner = group === "resnets" ? 0 : 1;
  const name = `${side === "down" ? "input" : "output"}_blocks.${first + Number(layer)}.${inner}`;
  return [name + inOriginal(rest, group)];
}

function inOriginal(rest: string, group: string): string {
  if (!group.includes("resnets")) return rest;
  const pair = IN_RESNET.find(([, name]) => rest === `.${name}`);
  return pair === undefined ? rest : `.${pair[0]}`;
}
