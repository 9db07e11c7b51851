import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readJsonFile } from "@isthmus/core";
import type { FollowPlacement, Placement } from "../devices/placement.ts";
import type { Runtime } from "./runtime.ts";

/** A record of onnxruntime's profile that tells where a node ran. */
interface NodeRecord {
  readonly cat?: string;
  readonly name?: string;
  readonly args?: { readonly provider?: string; readonly op_name?: string };
}

/**
 * Returns a build of onnxruntime that tells where the nodes of each graph ran in its first run: onnxruntime
 * says so in a profile only, which is read and removed.
 */
export function followPlacement(runtime: Runtime, onPlacement: FollowPlacement): Runtime {
  const { open } = runtime;
  return {
    ...runtime,
    async open(model, options) {
      const { name } = options;
      if (name === undefined) return open(model, options);
      const folder = await mkdtemp(join(tmpdir(), "isthmus-placement-"));
      const session = await open(model, { ...options, profile: join(folder, "run") });
      let isFollowed = false;
      return {
        inputNames: session.inputNames,
        async run(feeds, fetches) {
          const results = await session.run(feeds, fetches);
          if (isFollowed) return results;
          isFollowed = true;
          session.endProfiling?.();
          onPlacement({ graph: name, ...(await readPlacement(folder)) });
          return results;
        },
        async release() {
          await session.release();
          await rm(folder, { recursive: true, force: true });
        },
      };
    },
  };
}

async function readPlacement(folder: string): Promise<Omit<Placement, "graph">> {
  const [file] = await readdir(folder);
  const records = file === undefined ? [] : await readJsonFile(join(folder, file));
  return countPlacement(records as readonly NodeRecord[]);
}

/** Counts where nodes ran by the records of a profile. */
export function countPlacement(records: readonly NodeRecord[]): Omit<Placement, "graph"> {
  let onDevice = 0;
  const onProcessor = new Map<string, number>();
  for (const { cat, name, args } of records) {
    if (cat !== "Node" || !name?.endsWith("_kernel_time")) continue;
    const { provider, op_name: op = "" } = args ?? {};
    if (provider === "CPUExecutionProvider") onProcessor.set(op, (onProcessor.get(op) ?? 0) + 1);
    else onDevice += 1;
  }
  return { onDevice, onProcessor };
}
