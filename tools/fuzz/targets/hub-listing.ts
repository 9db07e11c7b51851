import { readJsonFile } from "@isthmus/core";
import { chooseHubFiles } from "../../../packages/distributed/src/hub/choose-files.ts";
import { HUB_PATIENCE, type HubClient } from "../../../packages/distributed/src/hub/hub-client.ts";
import { assertStorable, listRepository } from "../../../packages/distributed/src/hub/list-repository.ts";
import type { FuzzTarget } from "../target.ts";
import { createJsonTarget } from "./symmetry-files.ts";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const HUB = { name: "owner/model", revision: "main", file: undefined };

/** Makes answers of a hub that lists other files, sizes and digests, and chooses what to fetch of them. */
export function createHubListingTarget(): FuzzTarget {
  const file = (path: string, lfs?: object) => ({ type: "file", path, size: 100, oid: COMMIT, lfs });
  const large = { oid: "0".repeat(64), size: 5e9, pointerSize: 134 };
  const document = {
    sha: COMMIT,
    tree: [
      file("config.json"),
      file("model-00001-of-00002.safetensors", large),
      file("model-00002-of-00002.safetensors", large),
      file("model.safetensors.index.json"),
      file("original/consolidated.00.pth", large),
      { type: "directory", path: "original", size: 0, oid: COMMIT },
    ],
  };
  return createJsonTarget({ name: "hub listing", document }, async (path) => {
    const answers = (await readJsonFile(path)) as typeof document | null;
    const client: HubClient = {
      endpoint: "https://hub.example",
      patience: HUB_PATIENCE,
      open: () => Promise.reject(new TypeError("nothing is fetched here")),
      async *chunks() {},
      json: async ({ path: asked }) => ({
        value: asked.includes("/tree/") ? answers?.tree : answers,
        next: undefined,
      }),
    };
    const { files } = await listRepository(client, HUB, "read a listing");
    const { weights, others } = chooseHubFiles(HUB, files);
    for (const chosen of [...weights, ...others]) assertStorable(chosen, "read a listing");
  });
}
