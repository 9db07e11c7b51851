import type { Checkpoint } from "@isthmus/core";
import { createHash, stat } from "@isthmus/platform";
import { canonicalJson } from "@isthmus/tasks";
import type { MergeMethod } from "../merge-method.ts";
import type { MergePlan } from "../merge-plan.ts";

/** Parts of a plan that its digest covers. */
type PlanContents = Pick<MergePlan, "tensors" | "metadata" | "seed"> & {
  readonly networks: readonly Pick<Checkpoint, "source">[];
};

/**
 * Computes a digest of a plan: of its tensors, methods, sources, parameters, metadata and seed, but not of
 * the content of the networks.
 * @param withCode - whether the digest covers the code of methods, which loaders of sources may rewrite
 * @returns 64 hexadecimal digits
 */
export function digestPlan({ tensors, networks, metadata, seed }: PlanContents, withCode: boolean): string {
  const hash = createHash("sha256");
  const codes = new Map<MergeMethod, string>();
  const codeOf = (method: MergeMethod): string => {
    const code =
      codes.get(method) ?? (withCode ? `${method.name} ${method.survey} ${method.blendInto}` : method.name);
    codes.set(method, code);
    return code;
  };
  hash.update(canonicalJson({ seed, metadata, sources: networks.map(({ source }) => source) }));
  for (const [name, { info, method, sources, base, measured, parameters }] of tensors) {
    const rule = {
      name,
      info,
      sources,
      base,
      ...(measured && { measured }),
      parameters: exactNumbers(parameters),
    };
    hash.update(canonicalJson(rule)).update(method === undefined ? "copy" : codeOf(method));
  }
  return hash.digest("hex");
}

/**
 * Replaces numbers by texts, because JSON does not distinguish some of them, such as infinities or 0 and -0.
 */
function exactNumbers(value: unknown): unknown {
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  if (Array.isArray(value)) return value.map(exactNumbers);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, exactNumbers(part)]));
}

/** State of a file, which differs after the file was written to or replaced. */
export interface FileState {
  /** Path of the file: of an input, or of a file that decides the plan. */
  readonly path: string;
  /** Size of the file in bytes. */
  readonly bytes: number;
  /** Time of the last change in nanoseconds, as text. */
  readonly changed: string;
}

/** Looks up the states of files, in the order of their paths. */
export async function statesOf(paths: readonly string[]): Promise<readonly FileState[]> {
  const states = [...new Set(paths)].sort().map(async (path): Promise<FileState> => {
    const { size, mtimeNs } = await stat(path, { bigint: true });
    return { path, bytes: Number(size), changed: String(mtimeNs) };
  });
  return Promise.all(states);
}
