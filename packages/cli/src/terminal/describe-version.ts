import { messageOf } from "@isthmus/core";

/**
 * Describes what is installed in two lines: the version of Isthmus, and the library that graphs run on by
 * default, or why there is none.
 */
export async function describeVersion(version: string): Promise<string> {
  const { describeOnnxRuntime } = await import("@isthmus/engine");
  const engine = await describeOnnxRuntime().catch((error) => `no engine: ${messageOf(error)}`);
  return `${version}\n${engine}`;
}
