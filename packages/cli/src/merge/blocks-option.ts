import { Option } from "@commander-js/extra-typings";
import { BLOCK_ARCHITECTURES, type BlockSetting } from "@isthmus/recipe";
import { InvalidArgumentError } from "commander";
import { type AddOptions, optionGroup } from "../options/option-group.ts";

/** Option of a merge of two diffusion models. */
export type BlocksOption = {
  /** Share of the second model in each block. @defaultValue all blocks alike */
  readonly blocks?: BlockSetting | undefined;
};

/** Adds the option of a merge of two diffusion models. */
export const addBlocksOption: AddOptions<BlocksOption> = optionGroup((command) => {
  command.addOption(
    new Option(
      "--blocks <list>",
      "share of the second diffusion model in each block, for example sdxl=.5,1,.9 and 17 more: as many as inspect --blocks says",
    ).argParser(parseBlocks),
  );
});

function parseBlocks(text: string): BlockSetting {
  const [, blocks = "", value = ""] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (BLOCK_ARCHITECTURES.has(blocks)) return { blocks, value };
  const kinds = [...BLOCK_ARCHITECTURES.keys()].join(", ");
  throw new InvalidArgumentError(`It must be KIND=LIST with one of the kinds ${kinds}.`);
}
